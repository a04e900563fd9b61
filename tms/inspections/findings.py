"""What follows from the result of an inspection: alerts, and the decision about a device that should not be there."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from tms.alerts.lifecycle.conditions import apply_events
from tms.alerts.models import Alert
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import TerminalScope
from tms.alerts.rules.event_codes import follow_event
from tms.fleet.devices import connected
from tms.fleet.devices.connected import EXPECTED_DEVICE, UNEXPECTED_DEVICE
from tms.fleet.models import Terminal
from tms.inspections.models import Inspection, InspectionResult
from tms.lib.severity import Severity
from tms.telemetry.models import Event

LOOKS_TAMPERED, NOT_TAMPERED = "tms.looks_tampered", "tms.not_tampered"
"""Events of a terminal, for rules and its timeline: the second clears what the first opened."""


class ResultEvent(NamedTuple):
    """An event of the terminal that a result causes."""

    code: str
    severity: Severity
    text: str


def follow_result(terminal: Terminal, found: Inspection, *, corrected: Inspection | None, at: datetime) -> Alert | None:
    """Returns the alert that is open because of it. Call it in the transaction that locks the link state."""
    findings = [*_withdrawn(terminal, found, corrected, at), *_found(terminal, found, at)]
    for finding in findings:
        _raise_event(terminal, finding, at)
    codes = [finding.code for finding in findings if finding.severity == Severity.CRITICAL]
    opened = Alert.objects.unresolved().filter(terminal=terminal, rule__event_code__in=codes)
    return opened.order_by("-opened_at").first() if codes else None


def _found(terminal: Terminal, found: Inspection, at: datetime) -> Iterator[ResultEvent]:
    match found.result:
        case InspectionResult.LOOKS_TAMPERED:
            yield ResultEvent(LOOKS_TAMPERED, Severity.CRITICAL, found.note or "looks tampered")
        case InspectionResult.SERIAL_DIFFERS:
            if notice := connected.notice_seen(terminal.pk, found.seen_serial, at=at):
                yield ResultEvent(UNEXPECTED_DEVICE, Severity.CRITICAL, notice.text)
        case InspectionResult.IN_ORDER:
            alerts = Alert.objects.unresolved().filter(terminal=terminal, rule__event_code=LOOKS_TAMPERED)
            if alerts.exists():
                yield ResultEvent(NOT_TAMPERED, Severity.INFO, "inspected and in order")


def _withdrawn(
    terminal: Terminal, found: Inspection, corrected: Inspection | None, at: datetime
) -> Iterator[ResultEvent]:
    """A serial number that a person had misread is nothing to decide about."""
    if corrected is None or corrected.result != InspectionResult.SERIAL_DIFFERS:
        return
    if found.result == InspectionResult.SERIAL_DIFFERS and found.seen_serial == corrected.seen_serial:
        return
    if notice := connected.withdraw_seen(terminal.pk, corrected.seen_serial, at=at):
        yield ResultEvent(EXPECTED_DEVICE, Severity.INFO, notice.text)


def _raise_event(terminal: Terminal, finding: ResultEvent, at: datetime) -> None:
    Event.objects.create(
        terminal=terminal, at=at, code=finding.code, severity=finding.severity, text=finding.text[:500]
    )
    scope = TerminalScope(terminal.pk, terminal.site_id, terminal.kind, terminal.model)
    apply_events(follow_event(finding.code, scope, rule_cache().get(), at=at))
