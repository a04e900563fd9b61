"""Scopes of grants in forms: everything, a region, a site or a group, as one value of a select."""

from typing import Any, NamedTuple

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from tms.accounts import access
from tms.accounts.models import Grant
from tms.accounts.scope import Scope

type Choice = tuple[str, str]
type Choices = list[tuple[str, list[Choice]] | Choice]

EVERYTHING = "everything"
MAX_KEY = 120


class GrantScope(NamedTuple):
    """The scope of one grant."""

    region: str = ""
    site: Any = None
    group: Any = None

    @classmethod
    def of(cls, grant: Grant) -> "GrantScope":
        return cls(grant.region, grant.site, grant.group)

    @property
    def columns(self) -> dict[str, Any]:
        """The values by the names of the columns of `Grant`."""
        return self._asdict()

    @property
    def value(self) -> Scope:
        return Scope.of(self.region, self.site and self.site.pk, self.group and self.group.pk)

    @property
    def key(self) -> str:
        """Its value in a form."""
        if self.region:
            return f"region:{self.region}"
        if self.site:
            return f"site:{self.site.pk}"
        return f"group:{self.group.pk}" if self.group else EVERYTHING

    @property
    def label(self) -> str:
        if self.group:
            return gettext("group %(name)s") % {"name": self.group}
        return self.region or (str(self.site) if self.site else gettext("everything"))


def parsed(key: str) -> GrantScope | None:
    """The scope with this value in a form; None if there is none."""
    kind, _colon, name = key[:MAX_KEY].partition(":")
    if kind == EVERYTHING:
        return GrantScope()
    if kind == "region" and name and _sites().filter(region=name).exists():
        return GrantScope(region=name)
    if kind in {"site", "group"} and is_key(name):
        row = (_sites() if kind == "site" else _groups()).filter(pk=int(name)).first()
        return GrantScope(**{kind: row}) if row else None
    return None


def is_key(text: str) -> bool:
    """Whether it may be a primary key."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def choices(within: Scope) -> Choices:
    """The scopes that lie within `within`, for a select."""
    sites = _sites() if within.is_everything else _sites().filter(sites_within(within))
    groups = _groups() if within.is_everything else _groups().filter(pk__in=within.groups)
    regions = sites.exclude(region="").values_list("region", flat=True).distinct().order_by("region")
    covered = [name for name in regions if within.is_everything or name in within.regions]
    parts = (
        (
            gettext("Regions"),
            [GrantScope(region=name) for name in covered],
        ),
        (gettext("Groups"), [GrantScope(group=group) for group in groups]),
        (gettext("Sites"), [GrantScope(site=site) for site in sites]),
    )
    listed: Choices = [(label, [(scope.key, scope.label) for scope in scopes]) for label, scopes in parts if scopes]
    return [(EVERYTHING, capfirst(gettext("everything"))), *listed] if within.is_everything else listed


def sites_within(scope: Scope) -> Q:
    return Q(pk__in=scope.sites) | Q(region__in=scope.regions - {""})


def grants_within(scope: Scope) -> Q:
    """The grants that lie within `scope`, as a filter of `Grant`."""
    if scope.is_everything:
        return Q()
    of_region = Q(region__in=scope.regions, site=None, group=None) & ~Q(region="")
    of_site = Q(site__in=scope.sites) | Q(site__region__in=scope.regions, site__isnull=False)
    return of_region | of_site | Q(group__in=scope.groups)


def extent_of(scope: Scope) -> str:
    """How much a scope shows: `Sees 11 sites and 1,204 terminals.`"""
    every_terminal = apps.get_model("fleet", "Terminal")._default_manager.all()
    sites, terminals = (access.within(rows, scope).count() for rows in (_sites(), every_terminal))
    counts = {
        "sites": ngettext("%(number)s site", "%(number)s sites", sites) % {"number": f"{sites:,}"},
        "terminals": ngettext("%(number)s terminal", "%(number)s terminals", terminals) % {"number": f"{terminals:,}"},
    }
    return gettext("Sees %(sites)s and %(terminals)s.") % counts


def _sites() -> models.QuerySet[Any]:
    """The fleet is a layer above, so its models are found by name."""
    return apps.get_model("fleet", "Site")._default_manager.all()


def _groups() -> models.QuerySet[Any]:
    return apps.get_model("fleet", "Group")._default_manager.all()
