"""Alerts of unexpected devices end when a person decides about the device."""

from datetime import datetime

from tms.alerts.lifecycle.conditions import apply_events
from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import TerminalScope
from tms.alerts.rules.event_codes import follow_event
from tms.fleet.devices.connected import EXPECTED_DEVICE
from tms.fleet.models import Terminal


def follow_decision(*, terminal: Terminal, at: datetime, **_: object) -> None:
    """A receiver of `unexpected_decided`: the link state is locked."""
    scope = TerminalScope(terminal.pk, terminal.site_id, terminal.kind, terminal.model)
    apply_events(follow_event(EXPECTED_DEVICE, scope, rule_cache().get(), at=at))
