"""The canonical form of a state of the fleet: of the one in the database, and of a replay."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Count

from tms.alerts.models import Alert, Incident
from tms.fleet.models import TerminalState
from tms.replay.state import Moment

type AlertState = tuple[int, str, str, int | None, int | None]
"""(alert, severity, state, acknowledged by, incident)"""
type IncidentState = tuple[int, str, str, int | None]
"""(incident, severity, state, acknowledged by)"""

ALERT_COLUMNS = ("pk", "severity", "state", "acknowledged_by", "incident")
INCIDENT_COLUMNS = ("pk", "severity", "state", "acknowledged_by")
MAX_NAMED = 5
"""Differences of each kind in a text."""


@dataclass(frozen=True, slots=True)
class Totals:
    presences: Mapping[str, int]
    alerts: Mapping[str, int]
    """Unresolved ones by severity and state: `critical open`."""

    @classmethod
    def of(cls, presences: Mapping[str, int], alerts: Iterable[tuple[str, str]]) -> Self:
        """`alerts`: severity and state of each."""
        counted = Counter(f"{severity} {state}" for severity, state in alerts)
        return cls({name: n for name, n in presences.items() if n}, dict(counted))


@dataclass(frozen=True, slots=True)
class FleetState:
    totals: Totals
    alerts: Sequence[AlertState] = ()
    """The alerts that were unresolved."""
    incidents: Sequence[IncidentState] = ()


def in_database() -> FleetState:
    """Call it in a consistent read."""
    alerts = tuple(Alert.objects.unresolved().order_by("pk").values_list(*ALERT_COLUMNS))
    incidents = tuple(Incident.objects.unresolved().order_by("pk").values_list(*INCIDENT_COLUMNS))
    presences = dict(TerminalState.objects.counted().order_by().values_list("presence").annotate(number=Count("pk")))
    totals = Totals.of(presences, ((severity, state) for _, severity, state, *_ in alerts))
    return FleetState(totals, alerts, incidents)


def replayed(moment: Moment) -> FleetState:
    """The state that a replay of everything shows."""
    presences: Counter[str] = Counter()
    for (_, presence, _), number in moment.presence_counts.items():
        presences[presence] += number
    facts = sorted(moment.facts)
    incidents = sorted(moment.incidents, key=lambda row: row.pk)
    return FleetState(
        Totals.of(presences, ((row.severity, row.state) for row in facts)),
        tuple((row.pk, row.severity, row.state, row.acknowledged_by, row.incident) for row in facts),
        tuple((row.pk, row.severity, row.state, row.acknowledged_by_id) for row in incidents),
    )


def differences(stored: FleetState, replay: FleetState) -> Iterator[str]:
    for name in ("presences", "alerts"):
        before, now = getattr(stored.totals, name), getattr(replay.totals, name)
        for key in sorted(before.keys() | now.keys()):
            if before.get(key, 0) != now.get(key, 0):
                yield f"{key}: {before.get(key, 0)} in the database, {now.get(key, 0)} in the replay"
    yield from _rows_that_differ("alert", stored.alerts, replay.alerts)
    yield from _rows_that_differ("incident", stored.incidents, replay.incidents)


def _rows_that_differ(what: str, stored: Sequence[Any], replay: Sequence[Any]) -> Iterator[str]:
    before, now = ({row[0]: row[1:] for row in rows} for rows in (stored, replay))
    keys = [pk for pk in sorted(before.keys() | now.keys()) if before.get(pk) != now.get(pk)]
    for pk in keys[:MAX_NAMED]:
        yield f"{what} {pk}: {before.get(pk)} in the database, {now.get(pk)} in the replay"
