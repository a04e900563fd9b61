"""The registry of operator actions.

A new one is its step in `TransitionKind`, its service, an entry here, and a partial if its form is new.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.actions.action import Actionable, AlertTarget, IncidentTarget, OperatorAction, When, by_name
from tms.alerts.actions.forms import (
    AcknowledgeForm,
    ActionForm,
    AssignForm,
    CommentForm,
    RequiredCommentForm,
    SnoozeForm,
)
from tms.alerts.actions.schemas import (
    AcknowledgeSchema,
    ActionSchema,
    AssignSchema,
    CommentSchema,
    RequiredCommentSchema,
    SnoozeSchema,
)
from tms.alerts.correlation import actions as of_incident
from tms.alerts.lifecycle import AlreadyAcknowledged, actions, claims
from tms.alerts.lifecycle.acknowledge import acknowledge
from tms.alerts.locks import lock_terminals, lock_terminals_of
from tms.alerts.models import Alert, AlertState, Incident, IncidentTransitionKind, TransitionKind

OPEN = frozenset({AlertState.OPEN})
ACKNOWLEDGED = frozenset({AlertState.ACKNOWLEDGED})
SNOOZED = frozenset({AlertState.SNOOZED})
UNRESOLVED = OPEN | ACKNOWLEDGED | SNOOZED


def is_acknowledged(row: Alert | Incident, by: User) -> bool:
    """Whether `by` has acknowledged it. Raises AlreadyAcknowledged if another person has."""
    if row.state not in ACKNOWLEDGED or (isinstance(row, Incident) and row.by_snooze):
        return False
    if row.acknowledged_by_id != by.pk:
        raise AlreadyAcknowledged(row)
    return True


ACKNOWLEDGE_ALERT = AlertTarget(
    acknowledge,
    When(OPEN | SNOOZED),
    TransitionKind.ACKNOWLEDGED,
    has_already=is_acknowledged,
    is_exclusive=True,
    done=_("You acknowledged this alert."),
)
ACKNOWLEDGE_INCIDENT = IncidentTarget(
    of_incident.acknowledge,
    When(OPEN | SNOOZED),
    IncidentTransitionKind.ACKNOWLEDGED,
    has_already=is_acknowledged,
)
ACTIONS: Mapping[str, OperatorAction] = by_name(
    OperatorAction(
        name="acknowledge",
        label=_("Acknowledge"),
        summary="Acknowledge {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("Recovery always resolves it; a worse state reopens it."),
        key="a",
        key_help=_("Acknowledge selected alerts or current row, or change it"),
        quick_key="A",
        effect="silence",
        form=AcknowledgeForm,
        schema=AcknowledgeSchema,
        alert=ACKNOWLEDGE_ALERT,
        incident=ACKNOWLEDGE_INCIDENT,
    ),
    OperatorAction(
        name="change-acknowledgement",
        label=pgettext_lazy("action", "Change"),
        summary="Change the acknowledgement of {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("The person responsible stays the same. Recovery always resolves it; a worse state reopens it."),
        key="a",
        form=AcknowledgeForm,
        schema=AcknowledgeSchema,
        alert=AlertTarget(actions.change_acknowledgement, When(ACKNOWLEDGED), TransitionKind.CHANGED),
        incident=IncidentTarget(of_incident.change_acknowledgement, When(ACKNOWLEDGED), IncidentTransitionKind.CHANGED),
    ),
    OperatorAction(
        name="claim",
        label=pgettext_lazy("action", "Claim"),
        summary="Claim {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_(
            "Shows everyone for ten minutes that you are looking into it. "
            "The alert stays open, and escalation continues."
        ),
        key="c",
        key_help=_("Claim selected alerts or current row"),
        form=ActionForm,
        schema=ActionSchema,
        alert=AlertTarget(claims.claim, When(OPEN), TransitionKind.CLAIMED),
        incident=IncidentTarget(of_incident.claim, When(OPEN), IncidentTransitionKind.CLAIMED),
    ),
    OperatorAction(
        name="unclaim",
        label=pgettext_lazy("action", "Release claim"),
        summary="Release the claim on {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("Removes your claim. The alert stays open."),
        form=ActionForm,
        schema=ActionSchema,
        alert=AlertTarget(claims.unclaim, When(OPEN, is_claimed=True), TransitionKind.UNCLAIMED),
        incident=IncidentTarget(of_incident.unclaim, When(OPEN, is_claimed=True), IncidentTransitionKind.UNCLAIMED),
    ),
    OperatorAction(
        name="reopen",
        label=pgettext_lazy("action", "Reopen"),
        summary="Reopen {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("The alert is open and unacknowledged again."),
        form=CommentForm,
        schema=CommentSchema,
        alert=AlertTarget(actions.reopen, When(ACKNOWLEDGED | SNOOZED), TransitionKind.REOPENED),
        incident=IncidentTarget(of_incident.reopen, When(ACKNOWLEDGED | SNOOZED), IncidentTransitionKind.REOPENED),
    ),
    OperatorAction(
        name="snooze",
        label=pgettext_lazy("action", "Snooze"),
        summary="Snooze {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("No notifications until then. It reopens at that time, or earlier if it gets worse."),
        key="s",
        key_help=_("Snooze selected alerts or current row"),
        effect="silence",
        form=SnoozeForm,
        schema=SnoozeSchema,
        alert=AlertTarget(actions.snooze, When(UNRESOLVED), TransitionKind.SNOOZED, gated="snooze"),
        incident=IncidentTarget(of_incident.snooze, When(UNRESOLVED), IncidentTransitionKind.SNOOZED, gated="snooze"),
    ),
    OperatorAction(
        name="assign",
        label=pgettext_lazy("action", "Assign"),
        summary="Assign {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_(
            "Open alerts stay open until this person acknowledges them. Acknowledged alerts are handed over at once."
        ),
        effect="assign",
        form=AssignForm,
        schema=AssignSchema,
        alert=AlertTarget(actions.assign, When(UNRESOLVED), TransitionKind.ASSIGNED),
        incident=IncidentTarget(of_incident.assign, When(UNRESOLVED), IncidentTransitionKind.ASSIGNED),
    ),
    OperatorAction(
        name="comment",
        label=pgettext_lazy("action", "Comment"),
        summary="Comment on {}",
        permission=Permission.HANDLE_ALERTS,
        form=RequiredCommentForm,
        schema=RequiredCommentSchema,
        alert=AlertTarget(actions.comment, When(UNRESOLVED), TransitionKind.COMMENTED),
        incident=IncidentTarget(of_incident.comment, When(UNRESOLVED), IncidentTransitionKind.COMMENTED),
    ),
    OperatorAction(
        name="resolve",
        label=pgettext_lazy("action", "Resolve"),
        summary="Resolve {}",
        permission=Permission.HANDLE_ALERTS,
        hint=_("Resolves the alert. It reopens if the problem recurs."),
        effect="resolve",
        form=CommentForm,
        schema=CommentSchema,
        alert=AlertTarget(
            actions.resolve,
            When(UNRESOLVED, is_by_hand=True),
            TransitionKind.RESOLVED,
            gated="resolve",
            lock=lock_terminals,
        ),
        incident=IncidentTarget(
            of_incident.resolve,
            When(UNRESOLVED, is_by_hand=True),
            IncidentTransitionKind.RESOLVED,
            gated="resolve",
            lock=lock_terminals_of,
        ),
    ),
)


def actions_for(subject: str, row: Actionable) -> tuple[OperatorAction, ...]:
    """The actions that apply to a row; `subject` is `alert` or `incident`."""
    targets = ((action, getattr(action, subject)) for action in ACTIONS.values())
    return tuple(action for action, target in targets if target and target.when.matches(row))
