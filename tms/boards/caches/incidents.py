"""Unresolved incidents, as far as the numbers of boards depend on them. Every render pass needs them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from tms.alerts.correlation.forming import UndecidedAlerts
from tms.alerts.models import CorrelationRule, Incident, IncidentState
from tms.alerts.models.factor import OF_MANY_SITES, SITES_TOGETHER, Factor
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.fleet.models import Site, Terminal
from tms.lib.per_process import per_process

COLUMNS = ("pk", "rule", "factor", "key", "site", "state", "by_snooze", "severity", "opened_at", "lost")


class IncidentFacts(NamedTuple):
    pk: int
    rule: int | None
    factor: str
    key: str
    site: int | None
    state: str
    by_snooze: bool
    severity: str
    opened_at: datetime
    lost: int

    @property
    def is_open_site(self) -> bool:
        """Whether it is the unacknowledged incident of a lost site."""
        return self.factor == Factor.SITE and self.rule is None and self.state == IncidentState.OPEN

    @property
    def is_of_sites(self) -> bool:
        """Whether it is an incident of lost terminals at several sites."""
        return self.factor in OF_MANY_SITES and self.rule is None


class Part(NamedTuple):
    """The incident of a site that was merged into an unresolved one."""

    site: int
    merged_into: int
    opened_at: datetime


class UnresolvedIncidents:
    def __init__(self, rows: Iterable[IncidentFacts], parts: Mapping[int, Part]) -> None:
        self.rows = {row.pk: row for row in rows}
        self.parts = parts
        """The parts of incidents, by primary key."""

    @cached_property
    def merges_sites(self) -> bool:
        """Whether sites that are lost together may become one incident."""
        rules = CorrelationRule.in_force()
        return any(rules[factor].enabled for factor in SITES_TOGETHER)

    def joined_by(self, undecided: Collection[UndecidedAlerts]) -> dict[UndecidedAlerts, int]:
        """The alerts that will join one of these incidents, and which: the one of their site first."""
        sites = frozenset(one.site for one in undecided)
        of_site = {row.site: row.pk for row in self._lost if row.site is not None}
        of_site = {part.site: part.merged_into for part in self.parts.values()} | of_site
        of_site = self._wide_of(sites) | of_site
        of_key = {(row.factor, row.key): row.pk for row in self._lost}
        found = {
            one: of_site.get(one.site)
            or of_key.get((Factor.MODEL, one.model))
            or of_key.get((Factor.FIRMWARE, one.firmware))
            for one in undecided
        }
        return {one: pk for one, pk in found.items() if pk is not None}

    def absorbed(self, *, since: datetime) -> dict[int, int]:
        """Incidents of sites that opened `since`, and the incident of several sites that each will be merged into."""
        young = {row.site: row.pk for row in self.of_sites if row.opened_at > since and row.site is not None}
        return {young[site]: pk for site, pk in self._wide_of(frozenset(young)).items()}

    def _wide_of(self, sites: frozenset[int]) -> dict[int, int]:
        """The incident of several sites that each of these sites would join."""
        found: dict[int, int] = {}
        for row in self._lost if sites else ():
            if row.is_of_sites:
                found = dict.fromkeys(_sites_of(row, sites), row.pk) | found
        return found

    def sites_of(self, incident: int) -> dict[int, datetime]:
        """When each of its sites was lost; of an incident that sites were merged into."""
        return {part.site: part.opened_at for part in self.parts.values() if part.merged_into == incident}

    @cached_property
    def of_sites(self) -> list[IncidentFacts]:
        """Incidents of lost sites that nobody has acknowledged."""
        return [row for row in self.rows.values() if row.is_open_site]

    @cached_property
    def _lost(self) -> list[IncidentFacts]:
        """Incidents of terminals that were lost together."""
        return [row for row in self.rows.values() if row.rule is None]


def _sites_of(row: IncidentFacts, sites: frozenset[int]) -> frozenset[int]:
    """The sites, of `sites`, that have what the incident is about."""
    if row.factor == Factor.FLEET:
        return sites
    if row.factor == Factor.REGION:
        return frozenset(Site.objects.filter(pk__in=sites, region=row.key).values_list("pk", flat=True))
    members = Terminal.objects.filter(site__in=sites, groups=int(row.key)).order_by()
    return frozenset(members.values_list("site", flat=True).distinct())


class IncidentCache(FeedCache[UnresolvedIncidents, []]):
    stale_s = 15.0

    def is_relevant(self, change: Change) -> bool:
        return bool(change.incidents or change.everything)

    def load(self) -> UnresolvedIncidents:
        rows = [IncidentFacts(*row) for row in Incident.objects.unresolved().order_by("pk").values_list(*COLUMNS)]
        wide = [row.pk for row in rows if row.is_of_sites]
        merged = Incident.objects.filter(merged_into__in=wide, site__isnull=False) if wide else Incident.objects.none()
        parts = {pk: Part(*part) for pk, *part in merged.values_list("pk", *Part._fields)}
        return UnresolvedIncidents(rows, parts)


@per_process
def incident_cache() -> IncidentCache:
    """The unresolved incidents, cached by this process."""
    return IncidentCache()
