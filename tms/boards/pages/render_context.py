"""What pages read in one render pass, read once for all of them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from math import inf

from django.db.models import Count, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation.forming import NOTHING, FormingIncident
from tms.alerts.models import Alert, AlertQuerySet
from tms.boards.caches.census import Census
from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.forming import covered_incidents, forming_of
from tms.boards.caches.incidents import UnresolvedIncidents, incident_cache
from tms.boards.caches.last_hour import Lines
from tms.boards.caches.sound_alarms import SoundAlarms, alarm_cache
from tms.boards.caches.waiting_approvals import approval_cache
from tms.boards.list_filters import correlated_alerts
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.overview.problems import Problems, problems
from tms.boards.overview.recent_changes import recent
from tms.boards.rows.alerts import AlertRow, alert_rows
from tms.boards.rows.forming import FormingRow, forming_row
from tms.boards.rows.impact_order import ImpactRanking
from tms.boards.rows.incidents import IncidentRow, incident_rows
from tms.boards.rows.planned import PlannedKind, expected_at, numbers
from tms.boards.rows.terminals import TerminalRow, terminal_rows
from tms.boards.rows.timeline import TimelineEntry
from tms.fleet.models import Site

FORMING_LASTS_S = 1.0


class SharedRows:
    """Rows read in one render pass. A row is the same for everyone who may see it."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self._terminals: dict[int, TerminalRow] = {}
        self._alerts: dict[int, AlertRow] = {}
        self._incidents: dict[int, IncidentRow] = {}

    @cached_property
    def census(self) -> Census:
        """The census of the whole fleet."""
        return census_cache().read()

    @cached_property
    def impact(self) -> ImpactRanking:
        return ImpactRanking(self.census, at=self.at)

    @cached_property
    def unresolved_incidents(self) -> Collection[int]:
        return incident_cache().get().rows

    def terminals(self, pks: Collection[int]) -> list[TerminalRow]:
        """Rows in the order of `pks`."""
        missing = [pk for pk in pks if pk not in self._terminals]
        if missing:
            self._terminals |= terminal_rows(missing, at=self.at)
        return [self._terminals[pk] for pk in pks if pk in self._terminals]

    def alerts(self, pks: Collection[int]) -> list[AlertRow]:
        missing = [pk for pk in pks if pk not in self._alerts]
        if missing:
            self._alerts |= {row.pk: row for row in self.impact.explain(alert_rows(missing).values())}
        return [self._alerts[pk] for pk in pks if pk in self._alerts]

    def incidents(self, pks: Collection[int]) -> list[IncidentRow]:
        missing = [pk for pk in pks if pk not in self._incidents]
        if missing:
            self._incidents |= incident_rows(missing)
        return [self._incidents[pk] for pk in pks if pk in self._incidents]


class RenderContext:
    """Data read for one render pass, for all pages of a scope. The rows are shared with the pages of other scopes."""

    def __init__(self, at: datetime, scope: Scope, rows: SharedRows | None = None) -> None:
        self.at = at
        self.scope = scope
        self.rows = rows or SharedRows(at)

    @property
    def present(self) -> "RenderContext":
        """The context for what every page shows of the present, also a replay."""
        return self

    @property
    def until(self) -> datetime | None:
        """The end of what is shown, if it is not the present."""
        return None

    @cached_property
    def census(self) -> Census:
        """What the scope covers."""
        return self.rows.census if self.scope.is_everything else census_cache().read(self.scope)

    @cached_property
    def unresolved(self) -> UnresolvedIncidents:
        """Incidents, of the whole fleet."""
        return incident_cache().get()

    @cached_property
    def forming(self) -> FormingIncident:
        if not self.census.incidents and not self.census.undecided:
            return NOTHING
        return forming_of(self.census, self.unresolved, covered=self.covered_incidents, at=self.at)

    @cached_property
    def forming_row(self) -> FormingRow | None:
        return forming_row(self.forming, self.census, is_past=self.until is not None)

    @cached_property
    def problems(self) -> Problems:
        return problems(self.census, self.forming, self.unresolved.parts if self.census.incidents else {})

    @cached_property
    def affected(self) -> Mapping[tuple[int, str], int]:
        """Number of terminals with an unresolved alert, by site and severity (index: alert_unresolved)."""
        if not self.census.unresolved:
            return {}
        alerts = within(Alert.objects.unresolved(), self.scope).order_by().values_list("terminal__site", "severity")
        return {(site, severity): n for site, severity, n in alerts.annotate(n=Count("terminal", distinct=True))}

    @cached_property
    def impact(self) -> ImpactRanking:
        """Sites are covered as a whole, unless the scope has groups: then only its terminals count."""
        if not self.scope.groups:
            return self.rows.impact
        return ImpactRanking(self.census, at=self.at, scope=self.scope)

    @cached_property
    def sound_alarms(self) -> SoundAlarms:
        return alarm_cache().of(self.scope).get(self.at, self.forming)

    @cached_property
    def waiting_approvals(self) -> str:
        return approval_cache().get(self.at)

    @cached_property
    def hour(self) -> Lines:
        return census_cache().hour(self.census, at=self.at, scope=self.scope)

    @cached_property
    def planned_sites(self) -> Mapping[int, str]:
        """Planned absence of sites as a whole, by primary key."""
        return expected_at(self.census, at=self.at)

    @cached_property
    def in_maintenance(self) -> int:
        """The number of terminals in maintenance."""
        return numbers(self.census, at=self.at, scope=self.scope)[PlannedKind.MAINTENANCE]

    def most_urgent_outside(self, most: int) -> list[int]:
        """Alerts outside of incidents (primary keys), those with the greatest impact, in order."""
        awake = within(Alert.objects.awake(), self.scope)
        alerts = self.alone(awake, AlertFilter())
        return [key[-1] for key in self.impact.order(alerts)[:most]]

    def alone(self, alerts: AlertQuerySet, chosen: AlertFilter) -> AlertQuerySet:
        """The `alerts` that no row of an incident represents."""
        rows = correlated_alerts.outside(alerts, chosen, among=self.covered_incidents)
        return correlated_alerts.decided(rows, self.forming, at=self.at)

    def recent_changes(self, limit: int) -> tuple[list[TimelineEntry], int, bool]:
        """The newest changes, their number, and whether there were more."""
        return recent(at=self.at, scope=self.scope, limit=limit, until=self.until)

    @property
    def resolved(self) -> QuerySet[Alert]:
        """Resolved alerts of the scope."""
        return within(Alert.objects.exclude(resolved_at=None), self.scope)

    def terminals(self, pks: Collection[int]) -> list[TerminalRow]:
        """Rows in the order of `pks`. The caller has checked that the scope covers them."""
        return self.rows.terminals(pks)

    def alerts(self, pks: Collection[int]) -> list[AlertRow]:
        return self._as_seen(self.rows.alerts(pks))

    def _as_seen(self, rows: list[AlertRow]) -> list[AlertRow]:
        """The rows without incidents that the scope does not cover."""
        if self.scope.is_everything:
            return rows
        shown = covered_incidents({row.incident for row in rows if row.incident}, self.scope)
        rows = [row if row.incident is None or row.incident in shown else replace(row, incident=None) for row in rows]
        return self.impact.explain(rows) if self.scope.groups else rows

    def incidents(self, pks: Collection[int]) -> list[IncidentRow]:
        rows = self.rows.incidents(pks)
        if self.scope.is_everything:
            return rows
        return [row if row.site in self._whole_sites else row.without_size() for row in rows]

    def unresolved_incidents(self, chosen: AlertFilter) -> list[IncidentRow]:
        """The unresolved incidents that match a filter, most urgent first."""
        pks = correlated_alerts.unresolved_incidents(chosen, among=self.covered_incidents)
        # The row of one that this process does not know yet would be beside the forming incident that it was.
        return correlated_alerts.most_urgent(self.incidents([pk for pk in pks if pk in self.unresolved.rows]))

    def correlated_rows(self, chosen: AlertFilter) -> list[IncidentRow | FormingRow]:
        """The rows that replace alerts in a list, most urgent first."""
        row = self.forming_row
        forming: list[FormingRow] = [row] if row and correlated_alerts.matches(row, chosen) else []
        alone = [one for one in self.unresolved_incidents(chosen) if one.pk not in self.forming.hidden_incidents]
        return correlated_alerts.most_urgent([*forming, *alone])

    def sites_since(self, row: IncidentRow | FormingRow) -> Mapping[int, datetime]:
        """When each site of an outage of several sites was lost, by primary key."""
        return self.forming.since if isinstance(row, FormingRow) else self.unresolved.sites_of(row.pk)

    @property
    def lasts_s(self) -> float:
        """Age at which lists of open alerts must be read again, because alerts are decided by time alone."""
        return FORMING_LASTS_S if self.forming.is_active else inf

    @cached_property
    def covered_incidents(self) -> Collection[int] | None:
        """The unresolved incidents that a limited scope covers."""
        if self.scope.is_everything:
            return None
        return covered_incidents(self.rows.unresolved_incidents, self.scope)

    @cached_property
    def _whole_sites(self) -> Collection[str]:
        """Codes of the sites of which the scope covers all terminals."""
        sites = within(Site.objects.order_by(), replace(self.scope, groups=frozenset()))
        return set(sites.values_list("code", flat=True))
