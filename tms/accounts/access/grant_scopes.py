"""Scopes of grants in forms: everything, a region, a site or a group, as one value of a select."""

from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from tms.accounts import fleet_rows
from tms.accounts.access import rows
from tms.accounts.fleet_rows import FleetRow
from tms.accounts.models import Grant
from tms.accounts.scope import Scope

type Choice = tuple[str, str]
type Choices = list[tuple[str, list[Choice]] | Choice]

EVERYTHING_KEY = "everything"
MAX_KEY = 120


class GrantScope(NamedTuple):
    """The scope of one grant."""

    region: str = ""
    site: FleetRow | None = None
    group: FleetRow | None = None

    @classmethod
    def of(cls, grant: Grant) -> "GrantScope":
        return cls(grant.region, grant.site, grant.group)

    @property
    def columns(self) -> dict[str, Any]:
        """The values by the names of the columns of `Grant`."""
        return self._asdict()

    @property
    def value(self) -> Scope:
        site, group = (row.pk if row else None for row in (self.site, self.group))
        return Scope.of(self.region, site, group)

    @property
    def key(self) -> str:
        """Its value in a form."""
        if self.region:
            return f"region:{self.region}"
        if self.site:
            return f"site:{self.site.pk}"
        return f"group:{self.group.pk}" if self.group else EVERYTHING_KEY

    @property
    def label(self) -> str:
        if self.group:
            return gettext("group %(name)s") % {"name": self.group}
        return self.region or (str(self.site) if self.site else gettext("everything"))


def parse(key: str) -> GrantScope | None:
    """The scope with this value in a form; None if there is none."""
    kind, _colon, name = key[:MAX_KEY].partition(":")
    if kind == EVERYTHING_KEY:
        return GrantScope()
    if kind == "region" and name and fleet_rows.regions().filter(name=name).exists():
        return GrantScope(region=name)
    if kind in {"site", "group"} and is_key(name):
        row = (fleet_rows.sites() if kind == "site" else fleet_rows.groups()).filter(pk=int(name)).first()
        return GrantScope(**{kind: row}) if row else None
    return None


def is_key(text: str) -> bool:
    """Whether it may be a primary key."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def choices(within: Scope) -> Choices:
    """The scopes that lie within `within`, for a select."""
    sites = fleet_rows.sites() if within.is_everything else fleet_rows.sites().filter(sites_within(within))
    groups = fleet_rows.groups() if within.is_everything else fleet_rows.groups().filter(pk__in=within.groups)
    regions = fleet_rows.regions().order_by("name").values_list("name", flat=True)
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
    return [(EVERYTHING_KEY, capfirst(gettext("everything"))), *listed] if within.is_everything else listed


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
    sites, terminals = (rows.within(found, scope).count() for found in (fleet_rows.sites(), fleet_rows.terminals()))
    counts = {
        "sites": ngettext("%(number)s site", "%(number)s sites", sites) % {"number": f"{sites:,}"},
        "terminals": ngettext("%(number)s terminal", "%(number)s terminals", terminals) % {"number": f"{terminals:,}"},
    }
    return gettext("Sees %(sites)s and %(terminals)s.") % counts
