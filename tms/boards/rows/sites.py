"""Rows of sites: plain values, so that equal rows need not be rendered or sent again."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from tms.alerts.models import IncidentState
from tms.boards.caches.census import Census, PresenceCounts
from tms.boards.caches.incidents import IncidentFacts, UnresolvedIncidents
from tms.boards.rows.common import SiteLabel
from tms.boards.rows.incidents import IncidentRow
from tms.boards.rows.site_availability import SiteAvailability
from tms.fleet.models import BY_URGENCY, Presence, Site
from tms.fleet.sites.hours_cache import SiteStatus
from tms.fleet.sites.impact import ImpactLevel
from tms.fleet.sites.names import Bilingual
from tms.lib.db.natural_order import natural_key
from tms.lib.severity import RANKS, Severity, worst

MIX_WIDTH, LEAST_WIDTH = 80.0, 3.0
"""The width of a bar, and that of its smallest part, so that one terminal of a hundred is seen."""

type ImpactKey = tuple[int, int, bool, int, object]


class ListedSite(NamedTuple):
    """The columns of a site in lists."""

    pk: int
    code: str
    name: str
    name_ja: str
    region: str
    closed_at: datetime | None

    @property
    def label(self) -> SiteLabel:
        return SiteLabel(self.code, Bilingual(self.name, self.name_ja))


class PresencePart(NamedTuple):
    """A part of the bar that shows the presences of a site."""

    presence: str
    number: int
    x: float
    width: float


class PresenceMix(NamedTuple):
    """How many terminals of a site have each presence, the least urgent first."""

    total: int
    parts: tuple[PresencePart, ...]

    @property
    def most_urgent(self) -> PresencePart | None:
        """The part that needs to be named; None if all terminals are online."""
        last = self.parts[-1] if self.parts else None
        return last if last and last.presence != Presence.ONLINE else None


@dataclass(frozen=True, slots=True)
class SiteListRow:
    pk: int
    site_label: SiteLabel
    closed_at: datetime | None
    mix: PresenceMix
    expected: str
    """Planned absence of the whole site, a `PlannedKind`; empty without any."""
    status: SiteStatus | None
    incident: IncidentRow | None
    """The worst unresolved incident."""
    severity: str
    """The worst severity of what is unresolved; empty if there is nothing."""
    alerts: int
    """Unresolved alerts of this severity."""
    availability: SiteAvailability | None

    @property
    def element(self) -> str:
        return f"site-{self.site_label.code}"

    @property
    def is_unacknowledged(self) -> bool:
        return self.incident is not None and self.incident.is_open


def listed_sites(sites: QuerySet[Site]) -> list[ListedSite]:
    return [ListedSite(*row) for row in sites.order_by().values_list(*ListedSite._fields)]


def presence_mix(counts: PresenceCounts) -> PresenceMix:
    found = [(presence.value, counts.presences[presence]) for presence in reversed(BY_URGENCY)]
    found = [(presence, number) for presence, number in found if number]
    widths = _widths([number for _, number in found])
    parts, x = [], 0.0
    for (presence, number), width in zip(found, widths, strict=True):
        parts.append(PresencePart(presence, number, round(x, 1), round(width - 1, 1)))
        x += width
    return PresenceMix(counts.total, tuple(parts))


def _widths(numbers: list[int]) -> list[float]:
    """The widths of parts that fill the bar, none of them too narrow to be seen."""
    if not numbers:
        return []
    free = MIX_WIDTH - LEAST_WIDTH * len(numbers)
    return [LEAST_WIDTH + free * number / sum(numbers) for number in numbers]


def worst_incidents(unresolved: UnresolvedIncidents, covered: Collection[int] | None) -> dict[int, IncidentFacts]:
    """The worst incident of each site, by its primary key; of those that a limited scope covers."""
    found: dict[int, IncidentFacts] = {}
    for site, incident in _incidents_of_sites(unresolved):
        if covered is not None and incident.pk not in covered:
            continue
        known = found.get(site)
        if known is None or _urgency(incident) < _urgency(known):
            found[site] = incident
    return found


def _incidents_of_sites(unresolved: UnresolvedIncidents) -> Iterable[tuple[int, IncidentFacts]]:
    """Each site with its incidents; of a site whose incident was merged, the one of several sites."""
    for incident in unresolved.rows.values():
        if incident.site is not None:
            yield incident.site, incident
    for part in unresolved.parts.values():
        if part.merged_into in unresolved.rows:
            yield part.site, unresolved.rows[part.merged_into]


def incidents_of(site: int, unresolved: UnresolvedIncidents) -> list[int]:
    """The unresolved incidents of one site, the most urgent first."""
    found = {incident.pk: incident for one, incident in _incidents_of_sites(unresolved) if one == site}
    return sorted(found, key=lambda pk: _urgency(found[pk]))


def _urgency(incident: IncidentFacts) -> tuple[int, bool, datetime]:
    return RANKS[incident.severity], incident.state != IncidentState.OPEN, incident.opened_at


def worst_severity(counts: PresenceCounts, incident: IncidentFacts | None) -> str:
    known = [name for name, number in counts.severities.items() if number]
    return worst([*known, incident.severity] if incident else known)


def impact_key(
    site: ListedSite, census: Census, incident: IncidentFacts | None, *, expected: str, is_closed: bool
) -> ImpactKey:
    """Sorts sites by how much what happens there keeps them from doing business; those without a problem by name."""
    counts = census.sites.get(site.pk, PresenceCounts())
    severity = worst_severity(counts, incident)
    return (
        _level(site.pk, census, severity, is_away=bool(expected) or is_closed),
        RANKS.get(severity, len(RANKS)),
        incident is None or incident.state != IncidentState.OPEN,
        0 if expected or is_closed else -counts.presences[Presence.OFFLINE],
        natural_key(str(site.label.name)),
    )


def _level(site: int, census: Census, severity: str, *, is_away: bool) -> ImpactLevel:
    if is_away:
        return ImpactLevel.CLOSED
    if severity != Severity.CRITICAL:
        return ImpactLevel.NONE
    kinds = {kind for _, kind, _ in census.kinds_at.get(site, ())}
    stopped = any(not census.peers_online[site, kind] for kind in kinds)
    return ImpactLevel.WHOLE if stopped else ImpactLevel.PART


def site_row(
    site: ListedSite,
    counts: PresenceCounts,
    facts: IncidentFacts | None,
    *,
    incident: IncidentRow | None,
    expected: str,
    status: SiteStatus | None,
    availability: SiteAvailability | None,
) -> SiteListRow:
    severity = worst_severity(counts, facts)
    return SiteListRow(
        pk=site.pk,
        site_label=site.label,
        closed_at=site.closed_at,
        mix=presence_mix(counts),
        expected=expected,
        status=status,
        incident=incident,
        severity=severity,
        alerts=counts.severities[severity] if severity else 0,
        availability=availability,
    )
