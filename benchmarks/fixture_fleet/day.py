"""The last day: changes of presence, alerts that opened, were acknowledged and resolved."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from benchmarks.fixture_fleet.terminals import CHUNK
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertState, Condition, Contract, Rule, RuleSource, Transition, TransitionKind
from tms.fleet.models import Cause, Presence, PresenceChange, Terminal, TerminalState

DAY_MINUTES = 1_440
RESOLVED_PER_UNRESOLVED = 4
"""Resolved alerts of the day for each unresolved one."""
ACKNOWLEDGED_SHARE = 0.3
"""The share of unresolved alerts that are acknowledged."""


def make_changes(states: Sequence[TerminalState], *, at: datetime, chance: Random) -> None:
    """Half of the online terminals were away once in the day; the others changed at the time in their state."""
    PresenceChange.objects.bulk_create(_changes(states, at=at, chance=chance), CHUNK)


def make_alerts(
    number: int,
    states: Sequence[TerminalState],
    terminals: Sequence[Terminal],
    *,
    by: User,
    at: datetime,
    chance: Random,
) -> None:
    """`number` unresolved ones: of offline terminals first, the rest of readings."""
    rules = {rule.name: rule for rule in Rule.objects.all()}
    offline = [state.terminal for state in states if state.presence == Presence.OFFLINE][:number]
    others = chance.sample(terminals, min(len(terminals), number - len(offline)))
    warm = [rules["Overheating"], rules["Paper low"], rules["Disk full"]]
    alerts = [_alert(rules["Offline"], terminal, by=by, at=at, chance=chance) for terminal in offline]
    alerts += [_alert(chance.choice(warm), terminal, by=by, at=at, chance=chance) for terminal in others]
    alerts += [
        _resolve(_alert(chance.choice(warm), chance.choice(terminals), by=by, at=at, chance=chance), chance)
        for _ in range(number * RESOLVED_PER_UNRESOLVED)
    ]
    made = Alert.objects.bulk_create(alerts, CHUNK)
    Transition.objects.bulk_create((step for alert in made for step in _transitions(alert)), CHUNK)
    Condition.objects.bulk_create(
        (
            Condition(rule=alert.rule, terminal=alert.terminal, since=alert.opened_at)
            for alert in made
            if _is_active(alert)
        ),
        CHUNK,
    )


def _changes(states: Sequence[TerminalState], *, at: datetime, chance: Random) -> Iterator[PresenceChange]:
    for state in states:
        if chance.random() < 0.5 and state.presence == Presence.ONLINE:
            yield from _blink(state, at - timedelta(minutes=chance.uniform(5, DAY_MINUTES)), chance)
        if state.presence not in (Presence.ONLINE, Presence.NEVER):
            yield _change(state, state.presence_at, Presence.ONLINE, state.presence, state.cause)


def _blink(state: TerminalState, at: datetime, chance: Random) -> Iterator[PresenceChange]:
    back_at = at + timedelta(seconds=chance.uniform(5, 200))
    yield _change(state, at, Presence.ONLINE, Presence.SILENT, Cause.CONNECTION_LOST)
    yield _change(state, back_at, Presence.SILENT, Presence.ONLINE, Cause.NONE)


def _change(state: TerminalState, at: datetime | None, before: str, presence: str, cause: str) -> PresenceChange:
    return PresenceChange(
        terminal_id=state.terminal_id, at=at, before=before, presence=presence, cause=cause, session=1
    )


def _alert(rule: Rule, terminal: Terminal, *, by: User, at: datetime, chance: Random) -> Alert:
    is_recent = rule.kind == RuleSource.PRESENCE
    opened_at = at - timedelta(minutes=chance.uniform(0.2, 10 if is_recent else DAY_MINUTES))
    alert = Alert(
        rule=rule,
        terminal=terminal,
        severity=rule.severity,
        opened_at=opened_at,
        changed_at=opened_at,
        value=rule.limit,
    )
    if chance.random() < ACKNOWLEDGED_SHARE:
        alert.state, alert.acknowledged_by, alert.comment = AlertState.ACKNOWLEDGED, by, "Someone is on the way"
        alert.acknowledged_at = opened_at + (at - opened_at) * chance.random()
        alert.changed_at, alert.contract = alert.acknowledged_at, Contract.RECOVERY
    return alert


def _resolve(alert: Alert, chance: Random) -> Alert:
    alert.state = AlertState.RESOLVED
    alert.resolved_at = (alert.acknowledged_at or alert.opened_at) + timedelta(seconds=chance.uniform(1, 30))
    return alert


def _transitions(alert: Alert) -> Iterator[Transition]:
    yield Transition(alert=alert, kind=TransitionKind.OPENED, at=alert.opened_at)
    if alert.acknowledged_at:
        yield Transition(
            alert=alert,
            kind=TransitionKind.ACKNOWLEDGED,
            at=alert.acknowledged_at,
            by=alert.acknowledged_by,
            comment=alert.comment,
        )
    if alert.resolved_at:
        yield Transition(alert=alert, kind=TransitionKind.RESOLVED, at=alert.resolved_at)


def _is_active(alert: Alert) -> bool:
    return alert.state != AlertState.RESOLVED
