"""What a person may do to alerts that stand already: to one, or to many in one transaction."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tms.alerts import lifecycle
from tms.alerts.models import AlertQuerySet, AlertState


class Deed(NamedTuple):
    do: Callable[..., int]
    suits: Callable[[AlertQuerySet], AlertQuerySet]
    """Those of some alerts to which it can be done."""


DEEDS: Mapping[str, Deed] = {
    "claim": Deed(lifecycle.claim, lambda alerts: alerts.unacknowledged()),
    "release": Deed(lifecycle.unclaim, lambda alerts: alerts.claimed()),
    "change": Deed(lifecycle.change_acknowledgement, lambda alerts: alerts.filter(state=AlertState.ACKNOWLEDGED)),
    "withdraw": Deed(
        lifecycle.reopen, lambda alerts: alerts.filter(state__in=(AlertState.ACKNOWLEDGED, AlertState.SNOOZED))
    ),
    "snooze": Deed(lifecycle.snooze, lambda alerts: alerts.unresolved()),
    "assign": Deed(lifecycle.assign, lambda alerts: alerts.unresolved()),
    "comment": Deed(lifecycle.comment, lambda alerts: alerts.unresolved()),
    "resolve": Deed(lifecycle.resolve, lambda alerts: alerts.unresolved().filter(rule__may_be_resolved_by_hand=True)),
}
