"""Flapping: an alert that opens and recovers repeatedly stays open; its changes are counted, not notified."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from tms.alerts.lifecycle.actions import RESOLVED_FIELDS
from tms.alerts.lifecycle.alert_transitions import transition
from tms.alerts.lifecycle.severity import grade
from tms.alerts.models import Condition, Rule
from tms.alerts.models.alert import Alert
from tms.alerts.models.flap_score import flap_score
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import Pair, RuleTriggered, among
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.presence import store
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 2_000

not_ended = SetAside[int]("flapping")


def notice(opened: Sequence[Alert]) -> None:
    """Start flapping for the alerts that just opened and changed too often recently."""
    if not opened or not settings.FLAPPING_WINDOW_S:
        return
    changes = _changes(opened)
    unstable = [alert for alert in opened if _is_unstable(changes.get(_pair(alert), []), at=alert.opened_at)]
    if not unstable:
        return
    # Asked last, because hardly any alert gets so far.
    watched = Rule.objects.filter(pk__in={alert.rule_id for alert in unstable}, watches_flapping=True)
    rule_ids = set(watched.values_list("pk", flat=True))
    flapping = [alert for alert in unstable if alert.rule_id in rule_ids]
    Flapping.objects.bulk_create(Flapping.of(alert.pk, changes[_pair(alert)], at=alert.opened_at) for alert in flapping)
    for alert in flapping:
        transition([alert], TransitionKind.FLAPPING, at=alert.opened_at)


def record_change(alerts: Iterable[Alert], *, is_failing: bool, at: datetime) -> None:
    """Rules of flapping alerts triggered again, or cleared."""
    changed = [alert for alert in alerts if alert.flapping.is_failing != is_failing]
    for alert in changed:
        alert.flapping.record_change(is_failing=is_failing, at=at)
    Flapping.objects.bulk_update(
        [alert.flapping for alert in changed], ["is_failing", "changes", "recent", "stable_at"]
    )
    if changed:
        publish(Change(alerts=frozenset(alert.pk for alert in changed)))


@skip_when_empty(Flapping.objects.stable)
def expire_flapping(at: datetime) -> int:
    """End flapping of stable alerts: resolve those whose rule is clear, and leave the others open."""
    due = Flapping.objects.stable(at).exclude(pk__in=not_ended.keys(at)).order_by("stable_at")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_expire_flapping, at=at), aside=not_ended, at=at)


def _expire_flapping(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    terminals = dict(Flapping.objects.stable(at).filter(pk__in=pks).values_list("pk", "alert__terminal"))
    store.lock(set(terminals.values()))
    alerts = list(
        Alert.objects.unresolved()
        .filter(flapping__in=Flapping.objects.stable(at).filter(pk__in=terminals))
        .select_related("flapping")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    Flapping.objects.end(alerts, at=at)
    for alert in alerts:
        alert.flapping.ended_at = at
    transition(alerts, TransitionKind.STABLE, at=at)
    cleared = [alert for alert in alerts if not alert.flapping.is_failing]
    transition(cleared, TransitionKind.RESOLVED, at=at, fields=RESOLVED_FIELDS, stamp="resolved_at")
    grade(_triggered_rules([alert for alert in alerts if alert.flapping.is_failing], at))
    return len(alerts)


def _triggered_rules(alerts: Sequence[Alert], at: datetime) -> dict[Pair, RuleTriggered]:
    """Which rules of these alerts are triggered now, by rule and terminal."""
    active = Condition.objects.filter(among([_pair(alert) for alert in alerts])).select_related("rule")
    triggered = (
        RuleTriggered(row.rule_id, row.terminal_id, at, value=row.value, severity=row.severity or row.rule.severity)
        for row in active
    )
    return {event.pair: event for event in triggered}


def _changes(opened: Sequence[Alert]) -> dict[Pair, list[float]]:
    """When alerts of the same rules and terminals opened and recovered within the window (index: alert_terminal)."""
    since = min(alert.opened_at for alert in opened) - timedelta(seconds=settings.FLAPPING_WINDOW_S)
    rows = Alert.objects.filter(among([_pair(alert) for alert in opened]), opened_at__gte=since)
    changes: dict[Pair, list[float]] = {}
    for rule_id, terminal_id, *instants in rows.values_list("rule", "terminal", "opened_at", "resolved_at"):
        changes.setdefault((rule_id, terminal_id), []).extend(at.timestamp() for at in instants if at)
    return changes


def _is_unstable(changes: Sequence[float], *, at: datetime) -> bool:
    reached = flap_score(changes, at=at.timestamp(), window_s=settings.FLAPPING_WINDOW_S)
    return reached >= settings.FLAPPING_HIGH_PCT / 100


def _pair(alert: Alert) -> Pair:
    return alert.rule_id, alert.terminal_id
