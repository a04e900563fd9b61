"""Rows for tests of boards, in addition to `tests.support.builders`: alerts in any state, readings, histories."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from tests.support.builders import Fleet
from tms.accounts.models import User
from tms.alerts import correlation, lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Incident, Rule
from tms.fleet.models import Presence, PresenceChange, Terminal
from tms.telemetry.models import Boot, Event, Report


def now(seconds: float = 0) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


def alert(
    fleet: Fleet,
    *,
    severity: str = "critical",
    terminal: Terminal | None = None,
    rule: Rule | None = None,
    opened_at: datetime | None = None,
    value: float | None = None,
    **terminal_fields: Any,
) -> Alert:
    """An open alert of a new terminal."""
    rule = rule or fleet.metric_rule(severity=severity)
    terminal = terminal or fleet.online(**terminal_fields)
    with transaction.atomic():
        lifecycle.trigger([RuleTriggered(rule.pk, terminal.pk, opened_at or now(), value=value)])
    return Alert.objects.unresolved().get(rule=rule, terminal=terminal)


def alerts(rule: Rule, terminals: Sequence[Terminal], opened_at: Iterable[datetime]) -> list[Alert]:
    """Open alerts of many terminals, in their order: a hundred cost as much as two of `alert`."""
    with transaction.atomic():
        lifecycle.trigger(
            [RuleTriggered(rule.pk, terminal.pk, at) for terminal, at in zip(terminals, opened_at, strict=True)]
        )
    made = {alert.terminal_id: alert for alert in Alert.objects.unresolved().filter(rule=rule)}
    return [made[terminal.pk] for terminal in terminals]


def acknowledged(alert: Alert, *, by: User, comment: str = "", at: datetime | None = None, **terms: Any) -> Alert:
    lifecycle.acknowledge(Alert.objects.filter(pk=alert.pk), by=by, comment=comment, at=at or now(), **terms)
    alert.refresh_from_db()
    return alert


def resolved(alert: Alert, *, at: datetime | None = None) -> Alert:
    with transaction.atomic():
        lifecycle.clear([(alert.rule_id, alert.terminal_id)], at=at or now())
    alert.refresh_from_db()
    return alert


def flapping(fleet: Fleet, **fields: Any) -> Alert:
    """An alert that opened for the fourth time within five minutes."""
    shaky = alert(fleet, opened_at=now(-300), **fields)
    for seconds in range(-250, -149, 50):
        resolved(shaky, at=now(seconds))
        shaky = alert(fleet, rule=shaky.rule, terminal=shaky.terminal, opened_at=now(seconds + 25))
    return shaky


def incident(fleet: Fleet, site: str = "SJK", *, number: int = 5, **rule: Any) -> Incident:
    """All `number` terminals of a site were lost together."""
    where, lost = fleet.site(site), fleet.presence_rule(**{"severity": "critical"} | rule)
    terminals = fleet.terminals(number, presence=Presence.OFFLINE, presence_at=now(-2), site=where)
    lifecycle.apply_events([RuleTriggered(lost.pk, terminal.pk, now(-1)) for terminal in terminals])
    correlation.correlate(now())
    return Incident.objects.get(site=where)


def moved(terminal: Terminal, before: str, presence: str, *, at: datetime, **fields: Any) -> PresenceChange:
    return PresenceChange.objects.create(terminal=terminal, at=at, before=before, presence=presence, **fields)


def report(terminal: Terminal, seq: int, *, at: datetime, **fields: Any) -> Report:
    boot, _ = Boot.objects.get_or_create(terminal=terminal, boot_id="boot-1", defaults={"first_seen_at": at})
    return Report.objects.create(boot=boot, seq=seq, terminal=terminal, at=at, received_at=at, **fields)


def event(terminal: Terminal, code: str, *, at: datetime | None = None, **fields: Any) -> Event:
    return Event.objects.create(terminal=terminal, code=code, at=at or now(), **fields)
