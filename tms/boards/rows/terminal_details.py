"""Details of one terminal, for its page."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState, RuleSource
from tms.boards.rows.common import LinkView, SiteLabel, link_view, site_label
from tms.boards.rows.planned import Expected, expected_of
from tms.boards.rows.terminals import ReadingCell, SeveritiesByMetric, over_of, readings_of, unresolved_of
from tms.commands.catalogue import CommandLabel, label_of
from tms.commands.models import Command, CommandState
from tms.files.models import TerminalFile
from tms.fleet.labels.tags import all_tags_of
from tms.fleet.models import Lifecycle, Terminal, TerminalState, UnexpectedDevice
from tms.fleet.sites.hours_cache import SiteStatus, hours_cache
from tms.fleet.sites.names import Bilingual
from tms.inspections.models import Inspection
from tms.jobs.links import JobLink, jobs_of_commands
from tms.lib.severity import RANKS, worst
from tms.telemetry.models import Report

MAX_ANSWER_CHARACTERS = 4_000
FEW_LINES, FEW_CHARACTERS = 12, 600
"""The size of an answer that is shown as a whole."""


class OpenAlertRow(NamedTuple):
    """An unresolved alert."""

    pk: int
    severity: str
    rule: Bilingual
    opened_at: datetime
    acknowledged_by: Name | None


class TerminalPlans(NamedTuple):
    """Its planned absence, and the opening hours of its site."""

    expected: Expected | None
    site_status: SiteStatus


class LifecycleView(NamedTuple):
    state: str = ""
    """Empty in service."""
    since: datetime | None = None


IN_SERVICE = LifecycleView()


class LastInspection(NamedTuple):
    pk: int
    at: datetime
    result: str


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    uid: str
    site_label: SiteLabel
    kind: str
    label: str
    serial: str
    model: str
    firmware: str
    agent: str
    address: str
    link: LinkView
    expected: Expected | None
    site_status: SiteStatus
    """The status of its site."""
    parent: str
    """The UID of its parent, if the scope covers it."""
    status: str
    status_at: datetime | None
    severity: str
    alerts: tuple[OpenAlertRow, ...]
    readings: tuple[ReadingCell, ...]
    read_at: datetime | None
    latest: str
    """The newest report's readings as JSON, for the chart."""
    seq: int
    lifecycle: LifecycleView = IN_SERVICE
    unexpected: tuple[str, ...] = ()
    """The serial numbers of devices about which nobody decided yet."""
    inspection: LastInspection | None = None
    tags: tuple[str, ...] = ()
    """Its own, and those of its site and its device."""


class UploadedFile(NamedTuple):
    """A file that the terminal uploads, or has uploaded."""

    pk: int
    name: str
    state: str
    length: int
    received: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command and its result."""

    pk: int
    name: CommandLabel
    state: str
    by: Name | None
    created_at: datetime
    deliver_before: datetime
    due_at: datetime | None
    took_s: float | None
    answer: str
    error: str
    progress_pct: float | None = None
    progress_text: str = ""
    files: tuple[UploadedFile, ...] = ()
    job: JobLink | None = None

    @property
    def element(self) -> str:
        return f"command-{self.pk}"

    @property
    def answer_lines(self) -> int:
        return self.answer.count("\n") + 1

    @property
    def is_long(self) -> bool:
        """Whether the answer is collapsed."""
        return self.answer_lines > FEW_LINES or len(self.answer) > FEW_CHARACTERS

    @property
    def is_cut(self) -> bool:
        return len(self.answer) >= MAX_ANSWER_CHARACTERS

    @property
    def is_pending(self) -> bool:
        return self.state in (CommandState.QUEUED, CommandState.SENT)


def facts_of(terminal: Terminal, *, at: datetime, scope: Scope) -> TerminalFacts:
    """Read again, because `terminal` may be outdated."""
    terminal = Terminal.objects.select_related("site", "state").get(pk=terminal.pk)
    newest = _reports(terminal).first()
    over = over_of(unresolved_of([terminal.pk]).get(terminal.pk, {}))
    plans = TerminalPlans(
        expected_of({terminal.pk: terminal.site_id}, at=at).get(terminal.pk),
        hours_cache().statuses([terminal.site_id], at)[terminal.site_id],
    )
    facts = _facts(terminal, terminal.state, (_open_alerts(terminal), over), plans, newest, scope)
    return replace(
        facts,
        lifecycle=_lifecycle(terminal),
        unexpected=_unexpected(terminal),
        inspection=_inspection(terminal),
        tags=all_tags_of(terminal),
    )


def _inspection(terminal: Terminal) -> LastInspection | None:
    rows = Inspection.objects.valid().filter(terminal=terminal).order_by("-at", "-pk")
    found = rows.values_list("pk", "at", "result").first()
    return LastInspection(*found) if found else None


def _lifecycle(terminal: Terminal) -> LifecycleView:
    if terminal.lifecycle == Lifecycle.IN_SERVICE:
        return IN_SERVICE
    return LifecycleView(terminal.lifecycle, terminal.lifecycle_at)


def _unexpected(terminal: Terminal) -> tuple[str, ...]:
    if terminal.lifecycle == Lifecycle.RETIRED:
        return ()
    rows = UnexpectedDevice.objects.undecided().filter(terminal=terminal)
    return tuple(rows.values_list("serial", flat=True))


def past_facts(
    terminal: Terminal,
    state: TerminalState,
    alerts: Collection[Alert],
    plans: TerminalPlans,
    *,
    at: datetime,
    scope: Scope,
) -> TerminalFacts:
    """The facts of a state and unresolved alerts that have the values of the past instant `at`."""
    newest = _reports(terminal).filter(at__lte=at).first()
    severities: SeveritiesByMetric = {}
    for alert in alerts:
        metric = alert.rule.metric if alert.rule.kind == RuleSource.METRIC else ""
        severities.setdefault(metric, []).append(alert.severity)
    rows = tuple(_open_alert(alert) for alert in sorted(alerts, key=_urgency))
    return _facts(terminal, state, (rows, over_of(severities)), plans, newest, scope)


def _facts(
    terminal: Terminal,
    state: TerminalState,
    unresolved: tuple[tuple[OpenAlertRow, ...], Mapping[str, str]],
    plans: TerminalPlans,
    newest: Report | None,
    scope: Scope,
) -> TerminalFacts:
    """`unresolved`: its alerts, and the severity at which each metric is beyond a threshold."""
    alerts, over = unresolved
    return TerminalFacts(
        uid=terminal.uid,
        site_label=site_label(terminal.site),
        kind=terminal.kind,
        label=terminal.label,
        serial=terminal.serial,
        model=terminal.model,
        firmware=terminal.firmware,
        agent=terminal.agent,
        address=terminal.address or "",
        link=link_view(state),
        expected=plans.expected,
        site_status=plans.site_status,
        parent=_parent(terminal, scope),
        status=state.status,
        status_at=state.status_at,
        severity=worst({alert.severity for alert in alerts}),
        alerts=alerts,
        readings=readings_of(state.metrics, over, sorted(state.metrics)),
        read_at=newest.at if newest else None,
        latest=json.dumps(newest.metrics if newest else {}, sort_keys=True),
        seq=state.seq,
    )


def command_rows(terminal: Terminal, *, limit: int, until: datetime | None = None) -> list[CommandRow]:
    """The newest commands, newest first. `until`: as they were at this past instant."""
    of_terminal = Command.objects.filter(terminal=terminal).with_labels()
    commands = of_terminal.select_related("created_by").order_by("-created_at", "-pk")
    if until is None:
        return _command_rows(list(commands[:limit]), has_files=True)
    found = list(commands.filter(created_at__lte=until)[:limit])
    for command in found:
        command.rewind(until)
    return _command_rows(found)


def _files(commands: Collection[Command]) -> dict[int, tuple[UploadedFile, ...]]:
    found: dict[int, tuple[UploadedFile, ...]] = {}
    rows = TerminalFile.objects.begun().filter(command__in=[command.pk for command in commands])
    for file in rows.order_by("number"):
        row = UploadedFile(file.pk, file.name, file.state, file.length, file.offset, file.completed_at)
        found[file.command_id] = (*found.get(file.command_id, ()), row)
    return found


def _reports(terminal: Terminal) -> QuerySet[Report]:
    """Reports with readings, newest first."""
    return Report.objects.filter(terminal=terminal).exclude(metrics={}).order_by("-at")


def _parent(terminal: Terminal, scope: Scope) -> str:
    if terminal.parent_id is None:
        return ""
    parents = within(Terminal.objects.filter(pk=terminal.parent_id), scope)
    return parents.values_list("uid", flat=True).first() or ""


def _open_alerts(terminal: Terminal) -> tuple[OpenAlertRow, ...]:
    alerts = Alert.objects.unresolved().filter(terminal=terminal).by_urgency()
    return tuple(_open_alert(alert) for alert in alerts.select_related("rule", "acknowledged_by"))


def _open_alert(alert: Alert) -> OpenAlertRow:
    return OpenAlertRow(
        alert.pk,
        alert.severity,
        Bilingual(alert.rule.name, alert.rule.name_ja),
        alert.opened_at,
        name_of(alert.acknowledged_by) if alert.acknowledged_by else None,
    )


def _urgency(alert: Alert) -> tuple[Any, ...]:
    """The same order as `AlertQuerySet.by_urgency`."""
    return RANKS[alert.severity], alert.state != AlertState.OPEN, alert.opened_at, alert.pk


def _command_rows(commands: Collection[Command], *, has_files: bool = False) -> list[CommandRow]:
    jobs, files = jobs_of_commands([command.pk for command in commands]), _files(commands) if has_files else {}
    return [_command_row(command, jobs.get(command.pk), files.get(command.pk, ())) for command in commands]


def _command_row(command: Command, job: JobLink | None, files: tuple[UploadedFile, ...]) -> CommandRow:
    took = command.answered_at - command.sent_at if command.answered_at and command.sent_at else None
    return CommandRow(
        pk=command.pk,
        name=label_of(command),
        state=command.state,
        by=name_of(command.created_by) if command.created_by else None,
        created_at=command.created_at,
        deliver_before=command.deliver_before,
        due_at=command.due_at,
        took_s=took.total_seconds() if took else None,
        answer=_word(command.result),
        error=command.error,
        progress_pct=command.progress_pct,
        progress_text=command.progress_text,
        files=files,
        job=job,
    )


def _word(result: object) -> str:
    """The result as text: lines for texts, JSON for other values."""
    if result is None:
        return ""
    if isinstance(result, dict) and list(result) == ["lines"] and isinstance(result["lines"], list):
        return "\n".join(map(str, result["lines"]))[:MAX_ANSWER_CHARACTERS]
    return json.dumps(result, ensure_ascii=False, indent=2)[:MAX_ANSWER_CHARACTERS]
