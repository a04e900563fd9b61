"""What pages read, as it was at a past instant: the fleet of `tms.replay`, in the rows and counts of live boards."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cached_property

from django.db.models import QuerySet
from django.utils import timezone

from tms.alerts.models import Alert, AlertState
from tms.boards.caches import last_hour
from tms.boards.caches.census import Census
from tms.boards.caches.incidents import COLUMNS, IncidentFacts, UnresolvedIncidents
from tms.boards.caches.last_hour import Lines
from tms.boards.list_filters.correlated_alerts import most_urgent
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.pages.render_context import RenderContext, SharedRows
from tms.boards.replay.alert_filter import incidents_among
from tms.boards.rows.alerts import AlertRow, past_rows, resolved_alerts
from tms.boards.rows.impact_order import ImpactKey, ImpactRanking, PeerCounts
from tms.boards.rows.incidents import IncidentRow, past_incident_rows
from tms.boards.rows.planned import PlannedKind
from tms.fleet.sites.calendar import hours_of
from tms.fleet.sites.hours_cache import SiteStatus
from tms.lib.calendar.opening_hours import NEVER
from tms.lib.severity import Severity
from tms.replay.state import AlertFacts, Moment


class PastHours:
    """Opening hours at a past instant. The cache of live boards knows the present only."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._known: dict[int, SiteStatus] = {}

    def statuses(self, sites: Collection[int]) -> Mapping[int, SiteStatus]:
        """The status of these sites, and of those requested before."""
        for site, hours in hours_of(set(sites) - self._known.keys()).items():
            change = hours.next_change(self._at)
            self._known[site] = SiteStatus(hours.opens_at(self._at), change, change or NEVER)
        return self._known

    def closed(self, sites: Collection[int]) -> list[int]:
        known = self.statuses(sites)
        return [site for site in sites if site in known and known[site].opens_at is not None]


class PastImpact(ImpactRanking):
    def __init__(self, moment: Moment, census: Census, hours: PastHours) -> None:
        super().__init__(census, at=moment.at, scope=moment.scope)
        self._moment = moment
        self._hours = hours

    def ranked(self, facts: Collection[AlertFacts]) -> list[ImpactKey]:
        """The alerts as `order` needs them."""
        return self.order_of([(one.pk, one.severity, one.state, one.opened_at, one.site, one.kind) for one in facts])

    def _statuses(self, sites: Collection[int]) -> Mapping[int, SiteStatus]:
        return self._hours.statuses(sites)

    @cached_property
    def _broken(self) -> PeerCounts:
        presences = self._moment.presences  # without those that were online
        broken = {
            (one.site, one.kind, one.terminal)
            for one in self._moment.facts
            if one.severity == Severity.CRITICAL and one.terminal not in presences
        }
        return Counter((site, kind) for site, kind, _ in broken)


class PastRows(SharedRows):
    def __init__(self, moment: Moment) -> None:
        super().__init__(moment.at)
        self.moment = moment
        self.hours = PastHours(moment.at)

    @cached_property
    def census(self) -> Census:
        """The census of what the scope covers."""
        return Census(self.moment.presence_counts, self.moment.alert_counts)

    @cached_property
    def impact(self) -> PastImpact:
        return PastImpact(self.moment, self.census, self.hours)

    @cached_property
    def unresolved_incidents(self) -> Collection[int]:
        return [incident.pk for incident in self.moment.incidents]

    def alerts(self, pks: Collection[int]) -> list[AlertRow]:
        unresolved = self.moment.alerts(pks)
        known = {alert.pk for alert in unresolved}
        resolved = resolved_alerts([pk for pk in pks if pk not in known])
        self.moment.rewind(alert.terminal for alert in resolved)
        rows = past_rows([*unresolved, *resolved], at=self.at)
        return self.impact.explain([rows[pk] for pk in pks if pk in rows])

    def incidents(self, pks: Collection[int]) -> list[IncidentRow]:
        wanted = set(pks)
        found = {one.pk: one for one in self.moment.incidents if one.pk in wanted}
        resolved = (self.moment.incident(pk) for pk in wanted - found.keys())
        rows = past_incident_rows([*found.values(), *filter(None, resolved)], at=self.at)
        return [rows[pk] for pk in pks if pk in rows]


class PastContext(RenderContext):
    """`present` is what the frame of the page still shows of the present."""

    rows: PastRows

    def __init__(self, moment: Moment) -> None:
        super().__init__(moment.at, moment.scope, PastRows(moment))
        self.moment = moment

    @cached_property
    def present(self) -> RenderContext:
        return RenderContext(timezone.now(), self.scope)

    @property
    def until(self) -> datetime:
        return self.at

    @property
    def hours(self) -> PastHours:
        return self.rows.hours

    @cached_property
    def census(self) -> Census:
        return self.rows.census

    @cached_property
    def unresolved(self) -> UnresolvedIncidents:
        """The incidents that the scope covers."""
        columns = [name if name not in ("rule", "site") else f"{name}_id" for name in COLUMNS]
        rows = (IncidentFacts(*(getattr(one, name) for name in columns)) for one in self.moment.incidents)
        return UnresolvedIncidents(rows, {})

    @cached_property
    def affected(self) -> Mapping[tuple[int, str], int]:
        found = {(one.site, one.severity, one.terminal) for one in self.moment.facts}
        return Counter((site, severity) for site, severity, _ in found)

    @cached_property
    def impact(self) -> PastImpact:
        return self.rows.impact

    @cached_property
    def hour(self) -> Lines:
        return last_hour.hour(self.census, at=self.at, scope=self.scope, until=self.at)

    @cached_property
    def planned_sites(self) -> Mapping[int, str]:
        closed = dict.fromkeys(self.hours.closed(self.census.sites.keys()), PlannedKind.CLOSED.value)
        return closed | dict.fromkeys(self.moment.maintenance_sites, PlannedKind.MAINTENANCE.value)

    @cached_property
    def in_maintenance(self) -> int:
        return self.moment.maintenance_count

    @property
    def resolved(self) -> QuerySet[Alert]:
        return super().resolved.filter(resolved_at__lte=self.at)

    def alert(self, pk: int) -> AlertRow | None:
        """The alert, also if it was resolved; None if it was not open yet."""
        found = self.moment.alert(pk)
        rows = past_rows([found], at=self.at).values() if found else ()
        return next(iter(self._as_seen(self.rows.impact.explain(list(rows)))), None)

    def most_urgent_outside(self, most: int) -> list[int]:
        return [key[-1] for key in self.impact.ranked(self.outside(self.awake))[:most]]

    @property
    def awake(self) -> list[AlertFacts]:
        return [one for one in self.moment.facts if one.state != AlertState.SNOOZED]

    def outside(self, facts: Collection[AlertFacts], *, who: str = "") -> list[AlertFacts]:
        """The alerts that no row of an incident represents; with `who`, of the incidents that this person
        acknowledged.
        """
        covered = self.covered_incidents
        shown = {
            one.pk
            for one in self.moment.incidents
            if (covered is None or one.pk in covered)
            and (not who or (one.acknowledged_by is not None and one.acknowledged_by.username == who))
        }
        decided = (
            one for one in facts if not self.forming.hides(self.moment.undecided_since(one), one.site, at=self.at)
        )
        return [one for one in decided if one.incident not in shown]

    def unresolved_incidents(self, chosen: AlertFilter) -> list[IncidentRow]:
        among = self.covered_incidents
        pks = [one.pk for one in incidents_among(self.moment.incidents, chosen) if among is None or one.pk in among]
        return most_urgent(self.incidents(pks))
