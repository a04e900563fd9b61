"""The canonical form of what boards show: of the boards themselves, and of a replay."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import msgspec
from django.db.models import Count

from tms.alerts.models import Alert, Incident
from tms.fleet.models import TerminalState
from tms.replay.state import Moment

type AlertShown = tuple[int, str, str, int | None, int | None]
"""(alert, severity, state, acknowledged by, incident)"""
type IncidentShown = tuple[int, str, str, int | None]
"""(incident, severity, state, acknowledged by)"""

ALERT_COLUMNS = ("pk", "severity", "state", "acknowledged_by", "incident")
INCIDENT_COLUMNS = ("pk", "severity", "state", "acknowledged_by")
MOST_ROWS = 200
"""Only the totals are stored beside the hash if there are more alerts than this."""
MOST_NAMED = 5
"""Differences of each kind in a text."""


class Existed(msgspec.Struct, frozen=True):
    """What a recorded moment depends on, and may be deleted."""

    terminals: int
    """The number of terminals."""
    people: Sequence[int]


class Totals(msgspec.Struct, frozen=True):
    """The numbers on boards."""

    presences: Mapping[str, int]
    alerts: Mapping[str, int]
    """Unresolved ones by severity and state: `critical open`."""

    @classmethod
    def of(cls, presences: Mapping[str, int], alerts: Iterable[tuple[str, str, int]]) -> Self:
        """`alerts`: severity, state and number; groups may repeat."""
        counted: Counter[str] = Counter()
        for severity, state, number in alerts:
            counted[f"{severity} {state}"] += number
        return cls({name: n for name, n in presences.items() if n}, {name: n for name, n in counted.items() if n})


class ShownState(msgspec.Struct, frozen=True):
    totals: Totals
    alerts: Sequence[AlertShown] = ()
    incidents: Sequence[IncidentShown] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of the state as JSON with sorted keys and without spaces."""
        text = json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def people(self) -> set[int]:
        """The primary keys of the people who are named."""
        of_alerts = {person for *_, person, _ in self.alerts if person is not None}
        return of_alerts | {person for *_, person in self.incidents if person is not None}

    @property
    def stored(self) -> Any:
        """What is kept beside the hash, to say what differs."""
        is_short = len(self.alerts) <= MOST_ROWS
        return msgspec.to_builtins(self if is_short else ShownState(self.totals))


def in_database() -> ShownState:
    """Call it in a consistent read."""
    alerts = tuple(Alert.objects.unresolved().order_by("pk").values_list(*ALERT_COLUMNS))
    incidents = tuple(Incident.objects.unresolved().order_by("pk").values_list(*INCIDENT_COLUMNS))
    presences = dict(TerminalState.objects.order_by().values_list("presence").annotate(number=Count("pk")))
    totals = Totals.of(presences, ((severity, state, 1) for _, severity, state, *_ in alerts))
    return ShownState(totals, alerts, incidents)


def replayed(moment: Moment) -> ShownState:
    """The state that a replay of everything shows."""
    presences: Counter[str] = Counter()
    for (_, presence, _), number in moment.presence_counts.items():
        presences[presence] += number
    facts = sorted(moment.facts)
    incidents = sorted(moment.incidents, key=lambda row: row.pk)
    return ShownState(
        Totals.of(presences, ((row.severity, row.state, 1) for row in facts)),
        tuple((row.pk, row.severity, row.state, row.acknowledged_by, row.incident) for row in facts),
        tuple((row.pk, row.severity, row.state, row.acknowledged_by_id) for row in incidents),
    )


def differences(shown: ShownState, replay: ShownState) -> Iterator[str]:
    """The differences as text, for operators of TMS. `shown`: as stored."""
    for name in ("presences", "alerts"):
        before, now = getattr(shown.totals, name), getattr(replay.totals, name)
        for key in sorted(before.keys() | now.keys()):
            if before.get(key, 0) != now.get(key, 0):
                yield f"{key}: {before.get(key, 0)} on boards, {now.get(key, 0)} in the replay"
    if shown.alerts or not shown.totals.alerts:
        yield from _rows_that_differ("alert", shown.alerts, replay.alerts)
        yield from _rows_that_differ("incident", shown.incidents, replay.incidents)


def _rows_that_differ(what: str, shown: Sequence[Any], replay: Sequence[Any]) -> Iterator[str]:
    before, now = ({row[0]: tuple(row[1:]) for row in rows} for rows in (shown, replay))
    keys = [pk for pk in sorted(before.keys() | now.keys()) if before.get(pk) != now.get(pk)]
    for pk in keys[:MOST_NAMED]:
        yield f"{what} {pk}: {before.get(pk)} on boards, {now.get(pk)} in the replay"
