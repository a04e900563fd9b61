"""What helps to judge one alert: how often it opened before and what helped, and the commands since it opened."""

import json
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.alerts.models.alert import AlertQuerySet
from tms.commands.catalogue import CommandLabel, label_of
from tms.commands.models import Command

RECENT = timedelta(days=7)
MAX_OCCURRENCES = 6
MAX_SHOWN = 5
"""Commands on the page."""
MAX_READ = 100
"""Commands that are read, to assign them to occurrences."""
MAX_RESULT = 200


class EarlierAlert(NamedTuple):
    pk: int
    opened_at: datetime
    resolved_at: datetime | None
    severity: str
    acknowledged_by: Name | None
    comment: str
    """The last one: what people did about it."""
    commands: tuple[CommandLabel, ...]
    """Names of the commands to the terminal while it was open."""
    is_this: bool

    @property
    def lasted_s(self) -> float:
        """How long the alert lasted; 0 while it is open."""
        return (self.resolved_at - self.opened_at).total_seconds() if self.resolved_at else 0.0


class SentCommand(NamedTuple):
    name: CommandLabel
    state: str
    by: Name | None
    at: datetime
    result: str


class AlertContext(NamedTuple):
    occurrences: list[EarlierAlert]
    recent: int
    """How often it opened within `RECENT`."""
    total: int
    commands: list[SentCommand]


def context_of(alert: Alert, *, scope: Scope, at: datetime, until: datetime | None = None) -> AlertContext:
    """The context of an alert, by five queries for one GET; it is not updated while the page is open (index:
    alert_terminal).

    `until`: as it was at this past instant, when the alert had been opened.
    """
    same = within(Alert.objects.filter(rule=alert.rule_id, terminal=alert.terminal_id), scope)
    if until is not None:
        same = same.filter(opened_at__lte=until)
    chosen = [_rewound(one, until) for one in _newest(same, alert)]
    this = next((one for one in chosen if one.pk == alert.pk), alert)
    sent = _commands(alert, scope, since=min(one.opened_at for one in (*chosen, alert)), until=until)
    during = [one for one in sent if _is_during(one, this)]
    return AlertContext(
        occurrences=[_occurrence(one, sent, is_this=one.pk == alert.pk) for one in chosen],
        recent=same.filter(opened_at__gt=at - RECENT).count(),
        total=same.count(),
        commands=[_sent_command(one) for one in during[:MAX_SHOWN]],
    )


def _newest(same: AlertQuerySet, alert: Alert) -> list[Alert]:
    """The newest ones; `alert` is the last of them if it is older."""
    rows = same.select_related("acknowledged_by").order_by("-opened_at", "-pk")
    chosen = list(rows[:MAX_OCCURRENCES])
    if all(one.pk != alert.pk for one in chosen):
        chosen = [*chosen[:-1], *rows.filter(pk=alert.pk)]
    return chosen


def _rewound(alert: Alert, until: datetime | None) -> Alert:
    """What helped is known when it is resolved."""
    if until is not None and alert.resolved_at is not None and alert.resolved_at > until:
        alert.resolved_at, alert.acknowledged_by, alert.comment = None, None, ""
    return alert


def _occurrence(one: Alert, sent: list[Command], *, is_this: bool) -> EarlierAlert:
    names = (label_of(command) for command in reversed(sent) if _is_during(command, one))
    return EarlierAlert(
        pk=one.pk,
        opened_at=one.opened_at,
        resolved_at=one.resolved_at,
        severity=one.severity,
        acknowledged_by=name_of(one.acknowledged_by) if one.acknowledged_by else None,
        comment=one.comment,
        commands=tuple(dict.fromkeys(names)),
        is_this=is_this,
    )


def _is_during(command: Command, alert: Alert) -> bool:
    until = alert.resolved_at
    return alert.opened_at <= command.created_at and (until is None or command.created_at <= until)


def _commands(alert: Alert, scope: Scope, *, since: datetime, until: datetime | None) -> list[Command]:
    """Commands to the alert's terminal, newest first (index: command_terminal)."""
    found = within(Command.objects.filter(terminal=alert.terminal_id, created_at__gte=since), scope)
    newest = found.with_labels().select_related("created_by").order_by("-created_at")
    if until is None:
        return list(newest[:MAX_READ])
    known = list(newest.filter(created_at__lte=until)[:MAX_READ])
    for command in known:
        command.rewind(until)
    return known


def _sent_command(command: Command) -> SentCommand:
    result = command.error or ("" if command.result is None else json.dumps(command.result, ensure_ascii=False))
    by = name_of(command.created_by) if command.created_by else None
    return SentCommand(label_of(command), command.state, by, command.created_at, result[:MAX_RESULT])
