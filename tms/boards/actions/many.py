"""The alerts and incidents that an operator action is performed on together."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from django.http import Http404

from tms.accounts.access import permitted
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import User
from tms.alerts.actions.action import AlertTarget, OperatorAction
from tms.alerts.actions.approvals import GATED
from tms.alerts.models import AlertQuerySet, Incident
from tms.boards.actions.one import permitted_action
from tms.boards.actions.selection import AlertSelection
from tms.boards.list_filters.incident_selection import IncidentSelection
from tms.lib.severity import Severity


class AlertNumbers(NamedTuple):
    """How many alerts the action applies to, by severity and in total."""

    severities: list[tuple[Severity, int]]
    number: int


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """An action on alerts, and on incidents that were selected beside them."""

    action: OperatorAction
    target: AlertTarget
    selection: AlertSelection
    also: IncidentSelection
    """The selected incidents."""
    alerts: AlertQuerySet
    """The selected alerts that the action applies to. Those that the person may only see are left out."""
    incidents: list[Incident]
    """The selected incidents that the action applies to. Gated actions on them are offered with the incidents only."""
    by: User

    @classmethod
    def of(cls, request: AuthenticatedRequest, name: str) -> Self:
        """Raises Http404, Forbidden."""
        action, by = permitted_action(request, name), request.user
        if action.alert is None:
            raise Http404
        data = request.POST if request.method == "POST" else request.GET
        selection, also = AlertSelection.of(data), IncidentSelection.of(data, "incidents")
        on_incidents = None if action.name in GATED else action.incident
        return cls(
            action,
            action.alert,
            selection,
            also,
            _permitted(action, action.alert, selection, by),
            also.incidents(action, on_incidents, by=by) if on_incidents else [],
            by,
        )

    def numbers(self) -> AlertNumbers:
        """Count in the database: after the action, those that it still applies to."""
        found = AlertSelection.severities(self.alerts)
        return AlertNumbers([(name, found[name]) for name in Severity if found[name]], found.total())

    def further(self, number: int) -> int:
        """How many alerts match in all, if they are more than the `number` selected; otherwise 0."""
        every = _permitted(self.action, self.target, self.selection.every(), self.by).count()
        return 0 if self.selection.is_all or self.also.pks or every <= number else every


def _permitted(action: OperatorAction, target: AlertTarget, selection: AlertSelection, by: User) -> AlertQuerySet:
    return permitted(target.when.filter(selection.alerts(to=by)), by=by, permission=action.permission)
