"""The life of an alert: open → acknowledged or snoozed → resolved. A recovery always wins.

Code that opens or resolves alerts of a terminal holds the row lock of its state (`tms.fleet.presence.store`), so at
most one process decides about one terminal at a time; the constraint `alert_one_unresolved` catches code without it.
Actions of people and of the clock lock the row of the alert, and find it resolved if the recovery was first.
"""

from tms.alerts.lifecycle.acknowledge import acknowledge
from tms.alerts.lifecycle.actions import assign, change_acknowledgement, comment, reopen, resolve, snooze
from tms.alerts.lifecycle.claims import claim, expire_claims, unclaim
from tms.alerts.lifecycle.conditions import (
    active_rules,
    apply_events,
    clear,
    clear_rule,
    defer,
    expire_events,
    open_pending,
    trigger,
)
from tms.alerts.lifecycle.conflicts import (
    AlreadyAcknowledged,
    AlreadyResolved,
    ChangedMeanwhile,
    Conflict,
    NotApplicable,
)
from tms.alerts.lifecycle.expiry import expire, remind
from tms.alerts.lifecycle.flapping import expire_flapping
from tms.alerts.rules.event_codes import follow_event
from tms.alerts.rules.events import RuleCleared, RuleEvent, RuleTriggered
from tms.alerts.rules.presence import follow_presence

__all__ = [
    "AlreadyAcknowledged",
    "AlreadyResolved",
    "ChangedMeanwhile",
    "Conflict",
    "NotApplicable",
    "RuleCleared",
    "RuleEvent",
    "RuleTriggered",
    "acknowledge",
    "active_rules",
    "apply_events",
    "assign",
    "change_acknowledgement",
    "claim",
    "clear",
    "clear_rule",
    "comment",
    "defer",
    "expire",
    "expire_claims",
    "expire_events",
    "expire_flapping",
    "follow_event",
    "follow_presence",
    "open_pending",
    "remind",
    "reopen",
    "resolve",
    "snooze",
    "trigger",
    "unclaim",
]
