"""What the next shift has to know of a span of time: plain values, for a page, a mail and whoever else asks.

Names of sites and rules are in the active language. What stands still open is told as it stood at the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from tms.accounts.access import Person, visible
from tms.accounts.display_names import Name, name_of
from tms.alerts.models import Alert, Incident
from tms.lib.severity import Severity
from tms.shifts.digest.changes import ChangeLine, changes
from tms.shifts.digest.incidents import IncidentLine, incidents
from tms.shifts.digest.maintenance import MaintenanceLine, maintenance_lines
from tms.shifts.digest.open_alerts import OpenAlertLine, open_alerts
from tms.shifts.digest.operator_actions import ActionLine, operator_actions
from tms.shifts.models import Note

AHEAD = timedelta(hours=24)
MOST_CHANGES, MOST_STANDING, MOST_DEEDS, MOST_NOTES, MOST_INCIDENTS = 100, 200, 200, 200, 50


class NoteLine(NamedTuple):
    pk: int
    at: datetime
    by: Name | None
    author: int | None
    text: str
    is_edited: bool


class SeverityCount(NamedTuple):
    total: int
    by_severity: tuple[tuple[str, int], ...]
    """Without those of which there is none."""


class Totals(NamedTuple):
    opened: SeverityCount
    closed: SeverityCount
    standing: int
    nobody: int


@dataclass(frozen=True, slots=True)
class Digest:
    """Lists are cut to what people read; `totals` are of everything."""

    since: datetime
    until: datetime
    totals: Totals
    incidents: Sequence[IncidentLine]
    standing: Sequence[OpenAlertLine]
    changes: Sequence[ChangeLine]
    deeds: Sequence[ActionLine]
    done: Sequence[MaintenanceLine]
    """Maintenance within the span."""
    ahead: Sequence[MaintenanceLine]
    """And in the day after it."""
    notes: Sequence[NoteLine]
    hidden_changes: int = 0
    hidden_deeds: int = 0


def digest(since: datetime, until: datetime, *, to: Person | None) -> Digest:
    """What `to` may see of the time from `since` until before `until`; None: a destination, which staff chose.

    A fixed number of queries.
    """
    alerts, folded = _seen(Alert.objects.all(), to), _seen(Incident.objects.all(), to)
    still = open_alerts(alerts, until)
    changed = changes(alerts, since, until)
    done = operator_actions(alerts, since, until)
    return Digest(
        since,
        until,
        Totals(
            _number((change.severity, change.opened) for change in changed),
            _number((change.severity, change.closed) for change in changed),
            len(still),
            sum(one.by is None for one in still),
        ),
        incidents(folded, since, until)[:MOST_INCIDENTS],
        still[:MOST_STANDING],
        changed[:MOST_CHANGES],
        done[:MOST_DEEDS],
        maintenance_lines(since, until),
        maintenance_lines(until, until + AHEAD),
        _notes(since, until),
        hidden_changes=max(0, len(changed) - MOST_CHANGES),
        hidden_deeds=max(0, len(done) - MOST_DEEDS),
    )


def _seen[Rows: QuerySet[Any]](rows: Rows, to: Person | None) -> Rows:
    return rows if to is None else visible(rows, to=to)


def _number(counted: Iterable[tuple[str, int]]) -> SeverityCount:
    by_severity = dict.fromkeys(Severity.values, 0)
    for severity, number in counted:
        by_severity[severity] += number
    return SeverityCount(
        sum(by_severity.values()), tuple((name, number) for name, number in by_severity.items() if number)
    )


def _notes(since: datetime, until: datetime) -> list[NoteLine]:
    rows = Note.objects.written(since, until).select_related("by")[:MOST_NOTES]
    return [
        NoteLine(note.pk, note.at, name_of(note.by) if note.by else None, note.by_id, note.text, bool(note.edited_at))
        for note in rows
    ]
