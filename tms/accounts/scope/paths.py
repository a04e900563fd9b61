"""How the rows of a model belong to a scope. A model names its path in `scope_path`.

The tables of accounts themselves are found by their labels, because their models import this module.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet

from tms.accounts import fleet_rows
from tms.accounts.scope.value import Scope

NONE = Q(pk__in=())


class ScopePath(ABC):
    """Neither method is called for a scope that is everything or nothing."""

    @abstractmethod
    def seen(self, scope: Scope) -> Q:
        """The rows that a person with this scope may read."""

    def covered(self, scope: Scope) -> Q:
        """The rows that lie within the scope as a whole: a permission for the scope is one for them."""
        return self.seen(scope)


@dataclass(frozen=True, slots=True)
class ByTerminal(ScopePath):
    """Rows of one terminal; without a lookup, the terminals themselves."""

    lookup: str = ""

    def seen(self, scope: Scope) -> Q:
        found = _of_site(scope, _joined(self.lookup, "site"))
        return found | _in(self.lookup, _members(scope.groups)) if scope.groups else found


@dataclass(frozen=True, slots=True)
class BySite(ScopePath):
    """Rows of one site; without a lookup, the sites themselves. A group shows the sites of its terminals."""

    lookup: str = ""

    def seen(self, scope: Scope) -> Q:
        found = self.covered(scope)
        if not scope.groups:
            return found
        return found | _in(self.lookup, fleet_rows.terminals().filter(pk__in=_members(scope.groups)).values("site"))

    def covered(self, scope: Scope) -> Q:
        return _of_site(scope, self.lookup)


@dataclass(frozen=True, slots=True)
class ByDevice(ScopePath):
    """Rows of one device; without a lookup, the devices themselves. They belong to the site where the device is.

    A group shows the devices that serve as its terminals, and no other ones of their sites.
    """

    lookup: str = ""

    def seen(self, scope: Scope) -> Q:
        found = self.covered(scope)
        if not scope.groups:
            return found
        serving = fleet_rows.open_placements().filter(terminal__in=_members(scope.groups))
        return found | _in(self.lookup, serving.values("device"))

    def covered(self, scope: Scope) -> Q:
        return _of_site(scope, _joined(self.lookup, "site"))


@dataclass(frozen=True, slots=True)
class ByRegion(ScopePath):
    """The regions themselves. Seen by people who see a site of it."""

    def seen(self, scope: Scope) -> Q:
        sites = fleet_rows.sites().filter(BySite().seen(scope)).exclude(region="")
        return self.covered(scope) | Q(name__in=sites.values("region"))

    def covered(self, scope: Scope) -> Q:
        return Q(name__in=sorted(scope.regions))


@dataclass(frozen=True, slots=True)
class BySiteOrRegion(ScopePath):
    """Rows of one site, or of all sites of one region."""

    site: str = "site"
    region: str = "region"

    def seen(self, scope: Scope) -> Q:
        regions = fleet_rows.sites().filter(BySite().seen(scope)).exclude(region="").values("region")
        return BySite(self.site).seen(scope) | Q(**{f"{self.region}__in": regions})

    def covered(self, scope: Scope) -> Q:
        return BySite(self.site).covered(scope) | _in(self.region, scope.regions)


@dataclass(frozen=True, slots=True)
class ByGroup(ScopePath):
    """Rows of one group; without a lookup, the groups themselves. Seen by people who see a terminal of it."""

    lookup: str = ""

    def seen(self, scope: Scope) -> Q:
        members = fleet_rows.memberships().filter(ByTerminal("terminal").seen(scope))
        return self.covered(scope) | _in(self.lookup, members.values("group"))

    def covered(self, scope: Scope) -> Q:
        return _in(self.lookup, scope.groups)


@dataclass(frozen=True, slots=True)
class ByOwner(ScopePath):
    """Rows with `owner_region`, `owner_site` and `owner_group`: one of them at most, none stands for everything.

    Seen by those whose scope overlaps the owner's.
    """

    lookup: str = ""
    prefix: str = "owner_"

    def seen(self, scope: Scope) -> Q:
        regions = fleet_rows.sites().filter(BySite().seen(scope)).exclude(region="").values("region")
        return (
            self.unowned
            | Q(**{self._name("region__in"): regions})
            | BySite(self._name("site")).seen(scope)
            | ByGroup(self._name("group")).seen(scope)
        )

    def covered(self, scope: Scope) -> Q:
        return (
            _in(self._name("region"), scope.regions)
            | BySite(self._name("site")).covered(scope)
            | ByGroup(self._name("group")).covered(scope)
        )

    @property
    def unowned(self) -> Q:
        names = {"region": "", "site__isnull": True, "group__isnull": True}
        return Q(**{self._name(name): value for name, value in names.items()})

    def _name(self, name: str) -> str:
        return _joined(self.lookup, f"{self.prefix}{name}")


@dataclass(frozen=True, slots=True)
class ByGrants(ScopePath):
    """People and teams, by their grants: seen if one of them overlaps, covered if all lie within.

    A person is seen and covered by those of their teams, too. Superusers are seen by everyone, and covered by nobody.
    """

    holder: str
    """The column of a grant that refers to them: `person` or `team`."""

    def seen(self, scope: Scope) -> Q:
        return self._superusers | self._holding(_grants().filter(ByOwner(prefix="").seen(scope)))

    def covered(self, scope: Scope) -> Q:
        inside = _grants().filter(ByOwner(prefix="").covered(scope))
        outside = _grants().exclude(pk__in=inside.values("pk"))
        return self._holding(inside) & ~self._holding(outside) & ~self._superusers

    @property
    def _superusers(self) -> Q:
        return Q(is_superuser=True) if self.holder == "person" else NONE

    def _holding(self, grants: QuerySet[Any]) -> Q:
        own = _in("", grants.exclude(**{self.holder: None}).values(self.holder))
        if self.holder == "team":
            return own
        teams = _rows("accounts.Team").filter(grants__in=grants.exclude(team=None).values("pk"))
        return own | _in("", teams.exclude(members=None).values("members"))


@dataclass(frozen=True, slots=True)
class Through(ScopePath):
    """Rows that belong to the scope as the row that they refer to does."""

    lookup: str
    label: str

    def seen(self, scope: Scope) -> Q:
        return _in(self.lookup, self._rows().filter(self._path().seen(scope)).values("pk"))

    def covered(self, scope: Scope) -> Q:
        return _in(self.lookup, self._rows().filter(self._path().covered(scope)).values("pk"))

    def _rows(self) -> QuerySet[Any]:
        return _rows(self.label)

    def _path(self) -> ScopePath:
        path: ScopePath = apps.get_model(self.label).scope_path
        return path


def _of_site(scope: Scope, lookup: str) -> Q:
    found = _in(_joined(lookup, "region"), scope.regions) if scope.regions else NONE
    return found | _in(lookup, scope.sites) if scope.sites else found


def _in(lookup: str, values: Collection[Any] | QuerySet[Any]) -> Q:
    known = values if isinstance(values, QuerySet) else sorted(values)
    return Q(**{f"{lookup or 'pk'}__in": known})


def _joined(lookup: str, name: str) -> str:
    return f"{lookup}__{name}" if lookup else name


def _members(groups: Collection[int]) -> QuerySet[Any]:
    """The terminals of groups."""
    return fleet_rows.memberships().filter(group__in=sorted(groups)).values("terminal")


def _grants() -> QuerySet[Any]:
    return _rows("accounts.Grant")


def _rows(label: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = apps.get_model(label)._base_manager.all()
    return rows
