"""Rules begin and cease to hold: alerts open, get worse, ease, and are over."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet

from tms.alerts.lifecycle import opening_hours
from tms.alerts.lifecycle.actions import OVER
from tms.alerts.lifecycle.flapping import notice, turn
from tms.alerts.lifecycle.opening_hours import Pair
from tms.alerts.lifecycle.severity import follow_severity, grade, undo_watchful
from tms.alerts.lifecycle.transitions import Said, record, step
from tms.alerts.models import Condition, Rule, RuleKind
from tms.alerts.models.alert import Alert
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import Claim, Release, Verdict, among
from tms.fleet.presence import store
from tms.lib.db.jobs import when_any
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 2_000
MOST_PASSES = 10
"""Each a transaction of its own; then others have their turn."""

unopened = SetAside[int]("open_due")
unlapsed = SetAside[int]("lapse")


def hold(claims: Sequence[Claim]) -> None:
    """Rules began to hold: open alerts at once, or when they will have held for their duration.

    What was judged by a rule that is gone or switched off by now is not heeded.
    """
    if not claims:
        return
    severities = _severities({claim.rule_id for claim in claims})
    latest = {claim.pair: claim for claim in claims if claim.rule_id in severities}
    held = {(row.rule_id, row.terminal_id): row for row in Condition.objects.filter(among(latest))}
    _prolong(latest, held)
    follow_severity([(held[pair], claim) for pair, claim in latest.items() if pair in held and claim.severity])
    fresh = [claim for pair, claim in latest.items() if pair not in held]
    due = opening_hours.due_times({claim.pair: (claim.at, claim.duration_s) for claim in fresh})
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


def release(pairs: Collection[Pair], *, at: datetime | None) -> None:
    """Rules no longer hold: forget the conditions and resolve their alerts, whoever acknowledged them.

    What flaps stands until it is calm.
    """
    if not pairs or at is None:
        return
    alerts = _let_go(pairs)
    turn([alert for alert in alerts if alert.is_flapping], is_wrong=False, at=at)
    over = [alert for alert in alerts if not alert.is_flapping]
    step(over, TransitionKind.RESOLVED, at=at, fields=OVER, stamp="resolved_at")


def drop(pairs: Collection[Pair], *, at: datetime, comment: str) -> None:
    """Rules are no longer what they were: whatever they hold is over, also what flaps."""
    alerts = _let_go(pairs)
    Flapping.objects.end(alerts, at=at)
    step(alerts, TransitionKind.RESOLVED, at=at, fields=OVER, stamp="resolved_at", said=Said(comment=comment))


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


def open_due(at: datetime) -> int:
    """Open the alerts whose condition has held for its duration (index: condition_due).

    Where a site is closed that was to be open by now, those of its opening hours wait until it opens.
    """
    opened = 0
    for _ in range(MOST_PASSES):  # of a storm all, before anything else looks at a part of it
        due = Condition.objects.filter(due_at__lte=at).exclude(pk__in=unopened.keys(at)).order_by("due_at")
        pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
        if not pks:
            break
        opened += isolate(pks, partial(_open_due, at=at), aside=unopened, at=at)
    return opened


def _open_due(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    due = Condition.objects.filter(pk__in=pks, due_at__lte=at)
    store.lock(set(due.values_list("terminal_id", flat=True)))
    ready = _wait_for_opening(list(due.order_by("due_at")), at)
    Condition.objects.filter(pk__in=[row.pk for row in ready]).update(due_at=None)
    claims = [Claim(row.rule_id, row.terminal_id, at, value=row.value, severity=row.severity) for row in ready]
    _open(claims, _severities({claim.rule_id for claim in claims}))
    return len(ready)


def _wait_for_opening(conditions: list[Condition], at: datetime) -> list[Condition]:
    """Those of them that need not wait."""
    closed = opening_hours.closed({(row.rule_id, row.terminal_id) for row in conditions}, at=at)
    waiting = {row.pk: row for row in conditions if (row.rule_id, row.terminal_id) in closed}
    for row in waiting.values():
        row.due_at = closed[row.rule_id, row.terminal_id]
    Condition.objects.bulk_update(waiting.values(), ["due_at"])
    return [row for row in conditions if row.pk not in waiting]


def postpone(until: datetime) -> int:
    """Conditions of presence open nothing before `until`: while TMS itself was away nobody could come back."""
    return Condition.objects.filter(rule__kind=RuleKind.PRESENCE, due_at__lt=until).update(due_at=until)


def _lapsing(at: datetime) -> QuerySet[Condition]:
    """Index: condition_lapses."""
    return Condition.objects.filter(lapses_at__lte=at)


@when_any(_lapsing)
def lapse(at: datetime) -> int:
    """Let go of events that did not come again in time."""
    lapsed = _lapsing(at).exclude(pk__in=unlapsed.keys(at)).order_by("lapses_at")
    pks = list(lapsed.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_lapse, at=at), aside=unlapsed, at=at)


def _lapse(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    lapsed = _lapsing(at).filter(pk__in=pks)
    store.lock(set(lapsed.values_list("terminal_id", flat=True)))
    over = list(lapsed.values_list("rule_id", "terminal_id"))
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


def _let_go(pairs: Collection[Pair]) -> list[Alert]:
    """The unresolved alerts whose conditions are forgotten."""
    if not pairs:
        return []
    Condition.objects.filter(among(pairs)).delete()
    alerts = Alert.objects.unresolved().filter(among(pairs)).select_related("flapping")
    return list(alerts.select_for_update(of=("self",)))


def _open(claims: Iterable[Claim], severities: Mapping[int, str]) -> None:
    wanted = {
        claim.pair: claim._replace(severity=claim.severity or severities[claim.rule_id])
        for claim in claims
        if claim.rule_id in severities
    }
    if not wanted:
        return
    standing = {
        (alert.rule_id, alert.terminal_id): alert
        for alert in Alert.objects.unresolved().filter(among(wanted)).select_related("flapping")
    }
    alerts = Alert.objects.bulk_create(
        Alert(
            rule_id=claim.rule_id,
            terminal_id=claim.terminal_id,
            severity=claim.severity,
            opened_at=claim.at,
            changed_at=claim.at,
            value=claim.value,
        )
        for pair, claim in wanted.items()
        if pair not in standing
    )
    record(alerts, TransitionKind.OPENED)
    notice(alerts)
    undo_watchful(alerts)
    _wrong_again([(alert, wanted[pair]) for pair, alert in standing.items() if alert.is_flapping])


def _wrong_again(flapping: Sequence[tuple[Alert, Claim]]) -> None:
    for alert, claim in flapping:
        turn([alert], is_wrong=True, at=claim.at)
    grade({claim.pair: claim for _, claim in flapping})


def _prolong(latest: dict[Pair, Claim], held: dict[Pair, Condition]) -> None:
    """An event that came again lapses later."""
    again = []
    for pair, condition in held.items():
        if condition.lapses_at is not None:
            condition.lapses_at = latest[pair].at + timedelta(seconds=latest[pair].clear_after_s)
            again.append(condition)
    Condition.objects.bulk_update(again, ["lapses_at"])
