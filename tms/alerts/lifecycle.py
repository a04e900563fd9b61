"""The life of an alert: open → acknowledged → resolved. A recovery always wins.

Whatever opens or resolves alerts of a terminal holds the row lock of its state (`tms.fleet.standings`), so at most one
process decides about one terminal at a time; the constraint `alert_one_unresolved` would catch who forgets it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from django.db import models, transaction
from django.db.models.functions import Greatest

from tms.accounts.models import User
from tms.alerts import opening
from tms.alerts.models import Alert, AlertState, Condition, Rule, RuleKind, Transition, TransitionKind
from tms.alerts.opening import Pair
from tms.alerts.ruleset import Place, RuleSet
from tms.fleet import standings
from tms.fleet.models import Cause, Presence
from tms.fleet.presence import Move
from tms.live.change import Change
from tms.live.feed import publish
from tms.ops import instruments

PASS_LIMIT = 2_000
TIMES = {
    TransitionKind.OPENED: attrgetter("opened_at"),
    TransitionKind.ACKNOWLEDGED: attrgetter("acknowledged_at"),
    TransitionKind.RESOLVED: attrgetter("resolved_at"),
}
"""When an alert took each step."""


class AlreadyResolved(Exception):
    """The recovery came before the acknowledgement."""

    code = "tms:already-resolved"

    def __init__(self, alert: Alert) -> None:
        super().__init__(f"alert {alert.pk} was resolved at {alert.resolved_at}")
        self.alert = alert


class Taken(NamedTuple):
    alert: Alert
    first: bool
    """False when someone had acknowledged it before; `alert` then tells who."""


class Claim(NamedTuple):
    """A rule began to hold for a terminal."""

    rule_id: int
    terminal_id: int
    at: datetime
    duration_s: float = 0.0
    clear_after_s: float = 0.0
    value: float | None = None
    severity: str = ""
    """Of the step that is reached; empty for that of the rule."""

    @property
    def pair(self) -> Pair:
        return self.rule_id, self.terminal_id


class Release(NamedTuple):
    """A rule ceased to hold for a terminal."""

    rule_id: int
    terminal_id: int
    at: datetime

    @property
    def pair(self) -> Pair:
        return self.rule_id, self.terminal_id


type Verdict = Claim | Release


@transaction.atomic
def acknowledge(alert: Alert, *, by: User, comment: str, at: datetime) -> Taken:
    """Take charge of `alert`. A second acknowledgement changes nothing and tells who was first.

    Raises AlreadyResolved when the recovery came first.
    """
    first = Alert.objects.filter(pk=alert.pk, state=AlertState.OPEN).update(
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by=by,
        acknowledged_at=max(at, alert.opened_at),  # by another node's clock
        comment=comment,
    )
    alert.refresh_from_db()
    if alert.state == AlertState.RESOLVED:
        raise AlreadyResolved(alert)
    if first:
        _record([alert], TransitionKind.ACKNOWLEDGED, by=by, comment=comment)
    return Taken(alert, bool(first))


@transaction.atomic
def acknowledge_all(alerts: models.QuerySet[Alert], *, by: User, comment: str, at: datetime) -> int:
    """Take charge of those of `alerts` that nobody has; how many they were. To do it again changes nothing.

    A row that another transaction holds is being taken or resolved this very moment: it is left to whoever has it.
    """
    open_ones = alerts.filter(state=AlertState.OPEN).order_by("pk")
    taken = list(open_ones.select_for_update(skip_locked=True, of=("self",)))
    for alert in taken:
        alert.acknowledged_at = max(at, alert.opened_at)
    Alert.objects.filter(pk__in=[alert.pk for alert in taken]).update(
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by=by,
        acknowledged_at=Greatest(models.Value(at), models.F("opened_at")),
        comment=comment,
    )
    _record(taken, TransitionKind.ACKNOWLEDGED, by=by, comment=comment)
    return len(taken)


def hold(claims: Sequence[Claim]) -> None:
    """Rules began to hold: open alerts at once, or when they will have held for their duration.

    What was judged by a rule that is gone or switched off by now is not heeded.
    """
    if not claims:
        return
    severities = _severities({claim.rule_id for claim in claims})
    latest = {claim.pair: claim for claim in claims if claim.rule_id in severities}
    held = {(row.rule_id, row.terminal_id): row for row in Condition.objects.filter(_among(latest))}
    _prolong(latest, held)
    fresh = [claim for pair, claim in latest.items() if pair not in held]
    due = opening.due_times({claim.pair: (claim.at, claim.duration_s) for claim in fresh})
    Condition.objects.bulk_create(
        Condition(
            rule_id=claim.rule_id,
            terminal_id=claim.terminal_id,
            since=claim.at,
            due_at=due[claim.pair] if due[claim.pair] > claim.at else None,
            lapses_at=claim.at + timedelta(seconds=claim.clear_after_s) if claim.clear_after_s else None,
            value=claim.value,
            severity=claim.severity,
        )
        for claim in fresh
    )
    _open([claim for claim in fresh if due[claim.pair] <= claim.at], severities)


def release(pairs: Collection[Pair], *, at: datetime | None, comment: str = "") -> None:
    """Rules no longer hold: forget the conditions and resolve their alerts, whoever acknowledged them."""
    if not pairs or at is None:
        return
    Condition.objects.filter(_among(pairs)).delete()
    alerts = list(Alert.objects.unresolved().filter(_among(pairs)).select_for_update())
    for alert in alerts:
        # An acknowledgement may come while the report that recovers waits to be committed: history keeps its order.
        alert.resolved_at = max(at, alert.acknowledged_at or at)
    _resolve(alerts)
    _record(alerts, TransitionKind.RESOLVED, comment=comment)


def follow_presence(moves: Iterable[Move], rules: RuleSet, places: Mapping[int, Place]) -> list[Verdict]:
    """What presence rules say of `moves`, in their order."""
    verdicts: list[Verdict] = []
    for move in moves:
        # Whoever falls silent keeps the cause of it when it is offline.
        cause_before = move.cause if move.presence == Presence.OFFLINE else Cause.NONE
        for rule in rules.for_terminal(places[move.terminal_id]).presence:
            before, now = rule.verdict(move.before, cause_before), rule.verdict(move.presence, move.cause)
            if now and not before:
                verdicts.append(Claim(rule.key.rule_id, move.terminal_id, move.at, rule.duration_s))
            elif before and not now:
                verdicts.append(Release(rule.key.rule_id, move.terminal_id, move.at))
    return verdicts


def settle(verdicts: Sequence[Verdict]) -> None:
    """Apply what one transaction found: the last word about a pair counts, and what preceded it is kept."""
    last = {verdict.pair: verdict for verdict in verdicts}
    claims = {verdict.pair: verdict for verdict in verdicts if isinstance(verdict, Claim)}
    again = {
        verdict.pair: verdict.at
        for verdict in verdicts
        if isinstance(verdict, Release) and isinstance(last[verdict.pair], Claim)
    }
    over = {pair: verdict.at for pair, verdict in last.items() if isinstance(verdict, Release)}
    release(again, at=max(again.values(), default=None))
    hold(list(claims.values()))
    release(over, at=max(over.values(), default=None))


@transaction.atomic
def open_due(at: datetime) -> int:
    """Open the alerts whose condition has held for its duration (index: condition_due).

    Where a site is closed that was to be open by now, those of its opening hours wait until it opens.
    """
    due = Condition.objects.filter(due_at__lte=at).order_by("due_at")[:PASS_LIMIT]
    standings.lock([row.terminal_id for row in due])
    ready = _wait_for_opening(list(Condition.objects.filter(pk__in=[row.pk for row in due], due_at__lte=at)), at)
    Condition.objects.filter(pk__in=[row.pk for row in ready]).update(due_at=None)
    claims = [Claim(row.rule_id, row.terminal_id, at, value=row.value, severity=row.severity) for row in ready]
    _open(claims, _severities({claim.rule_id for claim in claims}))
    return len(ready)


def _wait_for_opening(conditions: list[Condition], at: datetime) -> list[Condition]:
    """Those of them that need not wait."""
    closed = opening.closed({(row.rule_id, row.terminal_id) for row in conditions}, at=at)
    waiting = {row.pk: row for row in conditions if (row.rule_id, row.terminal_id) in closed}
    for row in waiting.values():
        row.due_at = closed[row.rule_id, row.terminal_id]
    Condition.objects.bulk_update(waiting.values(), ["due_at"])
    return [row for row in conditions if row.pk not in waiting]


def postpone(until: datetime) -> int:
    """Conditions of presence open nothing before `until`: while TMS itself was away nobody could come back."""
    return Condition.objects.filter(rule__kind=RuleKind.PRESENCE, due_at__lt=until).update(due_at=until)


@transaction.atomic
def lapse(at: datetime) -> int:
    """Let go of events that did not come again in time (index: condition_lapses)."""
    lapsed = Condition.objects.filter(lapses_at__lte=at).order_by("lapses_at")[:PASS_LIMIT]
    standings.lock([row.terminal_id for row in lapsed])
    pairs = Condition.objects.filter(pk__in=[row.pk for row in lapsed], lapses_at__lte=at)
    over = list(pairs.values_list("rule_id", "terminal_id"))
    release(over, at=at)
    return len(over)


def held_by(terminal_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The rules that hold for each of these terminals, with the severity of the step that is reached."""
    held: dict[int, dict[int, str]] = {}
    rows = Condition.objects.filter(terminal__in=terminal_ids).values_list("terminal", "rule", "severity")
    for terminal_id, rule_id, severity in rows:
        held.setdefault(terminal_id, {})[rule_id] = severity
    return held


def _severities(rule_ids: Collection[int]) -> dict[int, str]:
    """Of the rules that are enabled."""
    return dict(Rule.objects.filter(pk__in=rule_ids, enabled=True).values_list("pk", "severity"))


def _open(claims: Iterable[Claim], severities: Mapping[int, str]) -> None:
    wanted = {claim.pair: claim for claim in claims if claim.rule_id in severities}
    if not wanted:
        return
    standing = set(Alert.objects.unresolved().filter(_among(wanted)).values_list("rule_id", "terminal_id"))
    alerts = Alert.objects.bulk_create(
        Alert(
            rule_id=claim.rule_id,
            terminal_id=claim.terminal_id,
            severity=claim.severity or severities[claim.rule_id],
            opened_at=claim.at,
            value=claim.value,
        )
        for pair, claim in wanted.items()
        if pair not in standing
    )
    _record(alerts, TransitionKind.OPENED)


def _resolve(alerts: Collection[Alert]) -> None:
    by_time: dict[datetime | None, list[int]] = {}
    for alert in alerts:
        by_time.setdefault(alert.resolved_at, []).append(alert.pk)
    for at, pks in by_time.items():
        Alert.objects.filter(pk__in=pks).update(state=AlertState.RESOLVED, resolved_at=at)


def _prolong(latest: dict[Pair, Claim], held: dict[Pair, Condition]) -> None:
    """An event that came again lapses later."""
    again = []
    for pair, condition in held.items():
        if condition.lapses_at is not None:
            condition.lapses_at = latest[pair].at + timedelta(seconds=latest[pair].clear_after_s)
            again.append(condition)
    Condition.objects.bulk_update(again, ["lapses_at"])


def _record(alerts: Sequence[Alert], kind: TransitionKind, *, by: User | None = None, comment: str = "") -> None:
    if not alerts:
        return
    Transition.objects.bulk_create(
        Transition(alert=alert, kind=kind, at=TIMES[kind](alert), by=by, comment=comment) for alert in alerts
    )
    for severity, number in Counter(alert.severity for alert in alerts).items():
        instruments.ALERT_TRANSITIONS.labels(kind.value, severity).inc(number)
    changed = frozenset(alert.pk for alert in alerts)
    publish(Change(alerts=changed, terminals=frozenset(alert.terminal_id for alert in alerts)))


def _among(pairs: Collection[Pair]) -> models.Q:
    """Rows of these (rule, terminal) pairs: one IN a rule, and there are few rules."""
    by_rule: dict[int, list[int]] = {}
    for rule_id, terminal_id in pairs:
        by_rule.setdefault(rule_id, []).append(terminal_id)
    matched = models.Q(pk__in=())
    for rule_id, terminal_ids in by_rule.items():
        matched |= models.Q(rule_id=rule_id, terminal_id__in=terminal_ids)
    return matched
