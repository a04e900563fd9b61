"""The shift digest: what the next shift needs to know about a period, as plain values for pages, mail and REST.

Names of sites and rules are in the active language. Open alerts are shown as they were at the end of the period.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Model, QuerySet

from tms.accounts.access import Person, visible, within
from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Alert, Incident
from tms.lib.severity import Severity
from tms.shifts.digest.changes import ChangeLine, changes
from tms.shifts.digest.incidents import IncidentLine, incidents
from tms.shifts.digest.maintenance import MaintenanceLine, maintenance_lines
from tms.shifts.digest.open_alerts import OpenAlertLine, open_alerts
from tms.shifts.digest.operator_actions import ActionLine, operator_actions
from tms.shifts.models import Note, SignOff

UPCOMING = timedelta(hours=24)
MAX_CHANGES, MAX_OPEN, MAX_ACTIONS, MAX_NOTES, MAX_INCIDENTS, MAX_SIGN_OFFS = 100, 200, 200, 200, 50, 10


class NoteLine(NamedTuple):
    pk: int
    at: datetime
    by: Name | None
    author: int | None
    text: str
    is_edited: bool


class SignOffLine(NamedTuple):
    at: datetime
    by: Name | None
    since: datetime
    until: datetime


class SeverityCount(NamedTuple):
    total: int
    by_severity: tuple[tuple[str, int], ...]
    """Severities without alerts are left out."""


class ShiftTotals(NamedTuple):
    opened: SeverityCount
    closed: SeverityCount
    open: int
    """Incidents count as one."""
    unacknowledged: int


@dataclass(frozen=True, slots=True)
class ShiftDigest:
    """Lists are limited in length; `totals` counts everything."""

    since: datetime
    until: datetime
    totals: ShiftTotals
    incidents: Sequence[IncidentLine]
    open: Sequence[OpenAlertLine]
    """Open alerts outside of unresolved incidents."""
    changes: Sequence[ChangeLine]
    actions: Sequence[ActionLine]
    maintenance: Sequence[MaintenanceLine]
    """Maintenance within the period."""
    upcoming_maintenance: Sequence[MaintenanceLine]
    """Maintenance in the 24 hours after the period."""
    notes: Sequence[NoteLine]
    sign_offs: Sequence[SignOffLine] = ()
    """Sign-offs of digests that overlap the period, newest first."""
    hidden_changes: int = 0
    hidden_actions: int = 0

    @property
    def unresolved_incidents(self) -> Sequence[IncidentLine]:
        return [one for one in self.incidents if one.resolved_at is None]


def digest(since: datetime, until: datetime, *, to: Person | None, destination: Scope = EVERYTHING) -> ShiftDigest:
    """The digest from `since` to before `until`, limited to what `to` may see (None for a plan) and to the scope of
    the destination. The number of queries is fixed.
    """

    def seen[Rows: QuerySet[Model]](rows: Rows) -> Rows:
        rows = within(rows, destination)
        return rows if to is None else visible(rows, to=to)

    alerts, shift_incidents = seen(Alert.objects.all()), seen(Incident.objects.all())
    found = incidents(shift_incidents, since, until)
    unresolved = [one for one in found if one.resolved_at is None]
    still = open_alerts(alerts, until, without=[one.pk for one in unresolved])
    changed = changes(alerts, since, until)
    actions = operator_actions(alerts, since, until)
    return ShiftDigest(
        since,
        until,
        ShiftTotals(
            _severity_count((change.severity, change.opened) for change in changed),
            _severity_count((change.severity, change.closed) for change in changed),
            len(unresolved) + len(still),
            sum(one.by is None for one in unresolved) + sum(one.by is None for one in still),
        ),
        found[:MAX_INCIDENTS],
        still[:MAX_OPEN],
        changed[:MAX_CHANGES],
        actions[:MAX_ACTIONS],
        maintenance_lines(since, until, seen),
        maintenance_lines(until, until + UPCOMING, seen),
        _notes(seen(Note.objects.written(since, until))),
        _sign_offs(seen(SignOff.objects.of_period(since, until))),
        hidden_changes=max(0, len(changed) - MAX_CHANGES),
        hidden_actions=max(0, len(actions) - MAX_ACTIONS),
    )


def _severity_count(counted: Iterable[tuple[str, int]]) -> SeverityCount:
    by_severity = dict.fromkeys(Severity.values, 0)
    for severity, number in counted:
        by_severity[severity] += number
    return SeverityCount(
        sum(by_severity.values()), tuple((name, number) for name, number in by_severity.items() if number)
    )


def _notes(written: QuerySet[Note]) -> list[NoteLine]:
    rows = written.select_related("by")[:MAX_NOTES]
    return [
        NoteLine(note.pk, note.at, name_of(note.by) if note.by else None, note.by_id, note.text, bool(note.edited_at))
        for note in rows
    ]


def _sign_offs(signed: QuerySet[SignOff]) -> list[SignOffLine]:
    rows = signed.select_related("by")[:MAX_SIGN_OFFS]
    return [SignOffLine(row.at, name_of(row.by) if row.by else None, row.since, row.until) for row in rows]
