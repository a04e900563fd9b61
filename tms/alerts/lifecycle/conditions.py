"""Rules trigger and clear: alerts open, worsen, improve, and are resolved."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet

from tms.alerts.lifecycle import opening_hours
from tms.alerts.lifecycle.actions import RESOLVED_FIELDS
from tms.alerts.lifecycle.alert_transitions import Actor, record_transition, transition
from tms.alerts.lifecycle.flapping import notice, record_change
from tms.alerts.lifecycle.severity import follow_severity, grade, reopen_worsened
from tms.alerts.models import Condition, Rule, RuleSource
from tms.alerts.models.alert import Alert
from tms.alerts.models.flapping import Flapping
from tms.alerts.models.transition import TransitionKind
from tms.alerts.rules.events import Pair, RuleCleared, RuleEvent, RuleTriggered, among
from tms.fleet.lifecycle import WITHOUT_ALERTS
from tms.fleet.models import Terminal
from tms.fleet.presence import store
from tms.lib.db import prepared
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

PASS_LIMIT = 2_000
MAX_PASSES = 10
"""Rows per transaction, so that other loops are not delayed."""

unopened = SetAside[int]("open_pending")
not_expired = SetAside[int]("expire_events")


def trigger(triggered: Sequence[RuleTriggered]) -> None:
    """Rules triggered: open alerts at once, or after the rule's duration.

    Events of rules that were deleted or disabled meanwhile are ignored, and those of terminals that left service.
    """
    if not triggered:
        return
    severities = _severities({event.rule_id for event in triggered})
    silent = _silent({event.terminal_id for event in triggered})
    latest = {
        event.pair: event for event in triggered if event.rule_id in severities and event.terminal_id not in silent
    }
    active = {(row.rule_id, row.terminal_id): row for row in Condition.objects.filter(among(latest))}
    _prolong(latest, active)
    follow_severity([(active[pair], event) for pair, event in latest.items() if pair in active and event.severity])
    fresh = [event for pair, event in latest.items() if pair not in active]
    due = opening_hours.due_times({event.pair: (event.at, event.duration_s) for event in fresh})
    Condition.objects.bulk_create(
        Condition(
            rule_id=event.rule_id,
            terminal_id=event.terminal_id,
            since=event.at,
            due_at=due[event.pair] if due[event.pair] > event.at else None,
            lapses_at=event.at + timedelta(seconds=event.clear_after_s) if event.clear_after_s else None,
            value=event.value,
            severity=event.severity,
        )
        for event in fresh
    )
    _open([event for event in fresh if due[event.pair] <= event.at], severities)


def clear(pairs: Collection[Pair], *, at: datetime | None) -> None:
    """Rules cleared: delete the conditions and resolve their alerts, also acknowledged ones. A flapping alert stays
    open until it is stable.
    """
    if not pairs or at is None:
        return
    alerts = _delete_conditions(pairs)
    record_change([alert for alert in alerts if alert.is_flapping], is_failing=False, at=at)
    over = [alert for alert in alerts if not alert.is_flapping]
    transition(over, TransitionKind.RESOLVED, at=at, fields=RESOLVED_FIELDS, stamp="resolved_at")


def clear_rule(pairs: Collection[Pair], *, at: datetime, comment: str) -> None:
    """Rules were changed or deleted: resolve all their alerts, also flapping ones."""
    alerts = _delete_conditions(pairs)
    Flapping.objects.end(alerts, at=at)
    transition(
        alerts,
        TransitionKind.RESOLVED,
        at=at,
        fields=RESOLVED_FIELDS,
        stamp="resolved_at",
        actor=Actor(comment=comment),
    )


def apply_events(rule_events: Sequence[RuleEvent]) -> None:
    """Apply the events of one transaction: the last event of a pair decides; earlier ones stay in the history."""
    last = {event.pair: event for event in rule_events}
    triggered = {event.pair: event for event in rule_events if isinstance(event, RuleTriggered)}
    again = {
        event.pair: event.at
        for event in rule_events
        if isinstance(event, RuleCleared) and isinstance(last[event.pair], RuleTriggered)
    }
    over = {pair: event.at for pair, event in last.items() if isinstance(event, RuleCleared)}
    # In this order: a pair that cleared and triggered again gets a new alert, and one that cleared last ends resolved.
    clear(again, at=max(again.values(), default=None))
    trigger(list(triggered.values()))
    clear(over, at=max(over.values(), default=None))


def _due(at: datetime) -> QuerySet[Condition]:
    """The conditions that are due (index: condition_due)."""
    return Condition.objects.filter(due_at__lte=at)


@skip_when_empty(_due)
def open_pending(at: datetime) -> int:
    """Open the alerts whose condition has lasted for its duration.

    If a site that should be open is closed, alerts that count only while it is open wait until it opens.
    """
    opened = 0
    for _ in range(MAX_PASSES):  # the whole storm, before another loop reads a part of it
        due = _due(at).exclude(pk__in=unopened.keys(at)).order_by("due_at")
        pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
        if not pks:
            break
        opened += isolate(pks, partial(_open_pending, at=at), aside=unopened, at=at)
    return opened


def _open_pending(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    due = Condition.objects.filter(pk__in=pks, due_at__lte=at)
    # Link states are locked before alerts, as ingest does (`tms.alerts.locks`); then the rows are read again.
    store.lock(set(due.values_list("terminal_id", flat=True)))
    ready = _wait_for_opening(list(due.order_by("due_at")), at)
    Condition.objects.filter(pk__in=[row.pk for row in ready]).update(due_at=None)
    triggered = [
        RuleTriggered(row.rule_id, row.terminal_id, at, value=row.value, severity=row.severity) for row in ready
    ]
    _open(triggered, _severities({event.rule_id for event in triggered}))
    return len(ready)


def _wait_for_opening(conditions: list[Condition], at: datetime) -> list[Condition]:
    """The conditions that need not wait."""
    closed = opening_hours.closed({(row.rule_id, row.terminal_id) for row in conditions}, at=at)
    waiting = {row.pk: row for row in conditions if (row.rule_id, row.terminal_id) in closed}
    for row in waiting.values():
        row.due_at = closed[row.rule_id, row.terminal_id]
    Condition.objects.bulk_update(waiting.values(), ["due_at"])
    return [row for row in conditions if row.pk not in waiting]


def defer(until: datetime) -> int:
    """Presence conditions open nothing before `until`: while TMS itself was unavailable no terminal could reconnect."""
    return Condition.objects.filter(rule__kind=RuleSource.PRESENCE, due_at__lt=until).update(due_at=until)


def _lapsing(at: datetime) -> QuerySet[Condition]:
    """The conditions that lapse (index: condition_lapses)."""
    return Condition.objects.filter(lapses_at__lte=at)


@skip_when_empty(_lapsing)
def expire_events(at: datetime) -> int:
    """Clear events that did not recur in time."""
    lapsed = _lapsing(at).exclude(pk__in=not_expired.keys(at)).order_by("lapses_at")
    pks = list(lapsed.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_expire_events, at=at), aside=not_expired, at=at)


def _expire_events(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    lapsed = _lapsing(at).filter(pk__in=pks)
    store.lock(set(lapsed.values_list("terminal_id", flat=True)))
    over = list(lapsed.values_list("rule_id", "terminal_id"))
    clear(over, at=at)
    return len(over)


def active_rules(terminal_ids: Collection[int]) -> dict[int, dict[int, str]]:
    """The active rules of each of these terminals, with their current severity."""
    active: dict[int, dict[int, str]] = {}
    chosen, keys = db_rows.any_of("terminal_id", terminal_ids)
    sql = f"SELECT terminal_id, rule_id, severity FROM {Condition._meta.db_table} WHERE {chosen}"
    for terminal_id, rule_id, severity in prepared.run(sql, keys):
        active.setdefault(terminal_id, {})[rule_id] = severity
    return active


def _severities(rule_ids: Collection[int]) -> dict[int, str]:
    """The severity of each enabled rule."""
    return dict(Rule.objects.filter(pk__in=rule_ids, enabled=True).values_list("pk", "severity"))


def _silent(terminals: Collection[int]) -> frozenset[int]:
    """The terminals among these without alerts. The link states are locked: none leaves service meanwhile."""
    rows = Terminal.objects.filter(pk__in=terminals, lifecycle__in=WITHOUT_ALERTS)
    return frozenset(rows.values_list("pk", flat=True))


def _delete_conditions(pairs: Collection[Pair]) -> list[Alert]:
    """Delete the conditions; returns their unresolved alerts, locked."""
    if not pairs:
        return []
    Condition.objects.filter(among(pairs)).delete()
    return list(Alert.objects.unresolved().filter(among(pairs)).select_related("flapping").locked())


def _open(triggered: Iterable[RuleTriggered], severities: Mapping[int, str]) -> None:
    wanted = {
        event.pair: event._replace(severity=event.severity or severities[event.rule_id])
        for event in triggered
        if event.rule_id in severities
    }
    if not wanted:
        return
    existing = {
        (alert.rule_id, alert.terminal_id): alert
        for alert in Alert.objects.unresolved().filter(among(wanted)).select_related("flapping")
    }
    alerts = Alert.objects.bulk_create(
        Alert(
            rule_id=event.rule_id,
            terminal_id=event.terminal_id,
            severity=event.severity,
            opened_at=event.at,
            changed_at=event.at,
            value=event.value,
        )
        for pair, event in wanted.items()
        if pair not in existing
    )
    record_transition(alerts, TransitionKind.OPENED)
    notice(alerts)
    reopen_worsened(alerts)
    _trigger_flapping([(alert, wanted[pair]) for pair, alert in existing.items() if alert.is_flapping])


def _trigger_flapping(flapping: Sequence[tuple[Alert, RuleTriggered]]) -> None:
    for alert, event in flapping:
        record_change([alert], is_failing=True, at=event.at)
    grade({event.pair: event for _, event in flapping})


def _prolong(latest: dict[Pair, RuleTriggered], active: dict[Pair, Condition]) -> None:
    """A repeated event expires later."""
    again = []
    for pair, condition in active.items():
        if condition.lapses_at is not None:
            condition.lapses_at = latest[pair].at + timedelta(seconds=latest[pair].clear_after_s)
            again.append(condition)
    Condition.objects.bulk_update(again, ["lapses_at"])
