"""What a person may do to alerts that stand already: to one, or to all that are ticked."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tms.alerts import lifecycle
from tms.alerts.models import AlertQuerySet, AlertState
from tms.boards.forms import AcknowledgeForm, AssignForm, CommentForm, SayForm, SnoozeForm


class Deed(NamedTuple):
    form: type[CommentForm]
    do: Callable[..., int]
    """A service of the lifecycle, which takes the `terms` of the form."""
    suits: Callable[[AlertQuerySet], AlertQuerySet]
    """Those of some alerts to which it can be done."""


DEEDS: Mapping[str, Deed] = {
    "change": Deed(AcknowledgeForm, lifecycle.change, lambda alerts: alerts.filter(state=AlertState.ACKNOWLEDGED)),
    "withdraw": Deed(
        CommentForm,
        lifecycle.withdraw,
        lambda alerts: alerts.filter(state__in=(AlertState.ACKNOWLEDGED, AlertState.SNOOZED)),
    ),
    "snooze": Deed(SnoozeForm, lifecycle.snooze, lambda alerts: alerts.unresolved()),
    "assign": Deed(AssignForm, lifecycle.assign, lambda alerts: alerts.unresolved()),
    "comment": Deed(SayForm, lifecycle.comment, lambda alerts: alerts.unresolved()),
    "resolve": Deed(
        CommentForm,
        lifecycle.resolve,
        lambda alerts: alerts.unresolved().filter(rule__may_be_resolved_by_hand=True),
    ),
}
"""By its name in the address."""
