"""A configuration that a terminal undid opens an alert; one that it applies ends it."""

from collections.abc import Collection
from datetime import datetime

from tms.alerts.lifecycle.conditions import apply_events
from tms.alerts.models import Condition
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import TerminalScope
from tms.alerts.rules.event_codes import follow_event
from tms.fleet.models import Terminal
from tms.lib.severity import Severity
from tms.telemetry.models import Event

CONFIGURATION_UNDONE, CONFIGURATION_APPLIED = "tms.configuration_undone", "tms.configuration_applied"
"""Events of a terminal, for rules and its timeline: the second clears what the first opened."""


def note_undone(terminal: int, text: str, *, at: datetime) -> None:
    """Call both in the transaction of the answer, which locks the link state."""
    _raise_event(terminal, CONFIGURATION_UNDONE, Severity.WARNING, text, at)


def note_applied(terminals: Collection[int], *, at: datetime) -> None:
    """Only where it ends something: thousands of terminals apply a version within a minute."""
    waiting = Condition.objects.filter(rule__clear_code=CONFIGURATION_APPLIED, terminal__in=terminals)
    for terminal in waiting.order_by().values_list("terminal", flat=True).distinct():
        _raise_event(terminal, CONFIGURATION_APPLIED, Severity.INFO, "", at)


def _raise_event(terminal: int, code: str, severity: Severity, text: str, at: datetime) -> None:
    found = Terminal.objects.get(pk=terminal)
    Event.objects.create(terminal=found, at=at, code=code, severity=severity, text=text[:500])
    scope = TerminalScope(found.pk, found.site_id, found.kind, found.model)
    apply_events(follow_event(code, scope, rule_cache().get(), at=at))
