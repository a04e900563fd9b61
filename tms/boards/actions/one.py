"""The alert or incident that an operator action is performed on, with its page."""

from datetime import datetime

from django.http import Http404

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.models import User
from tms.alerts.actions.action import OperatorAction
from tms.alerts.actions.registry import ACTIONS
from tms.alerts.actions.terms import ActionTerms
from tms.alerts.actions.undo import AlertsBefore, IncidentsBefore
from tms.alerts.models import Alert, Incident
from tms.boards.dialogs.action_dialog import ActionDialog
from tms.boards.pages import AlertPage, IncidentPage
from tms.boards.responses import or_404

TEMPLATE = "boards/actions/action.html"


class OneAlert:
    """Raises Http404 or Forbidden, like `OneIncident`."""

    def __init__(self, request: AuthenticatedRequest, name: str, pk: int) -> None:
        self.action = permitted_action(request, name)
        if self.action.alert is None:
            raise Http404
        self.target = self.action.alert
        self.page: AlertPage = or_404(AlertPage.open(request.GET, person=request.user, pk=str(pk)))
        access.demand(request.user, self.action.permission, self.page.alert)
        self.alerts = Alert.objects.filter(pk=pk)

    def dialog(self, request: AuthenticatedRequest, *, initial: dict[str, object]) -> ActionDialog:
        return ActionDialog(request, self.action, TEMPLATE, alerts=self.alerts, initial=initial)

    def before(self) -> AlertsBefore:
        return AlertsBefore.of(self.action.name, self.alerts)

    def perform(self, terms: ActionTerms, *, by: User, at: datetime, version: int | None) -> None:
        self.target.perform(self.alerts, by=by, at=at, version=version, **terms)


class OneIncident:
    def __init__(self, request: AuthenticatedRequest, name: str, pk: int) -> None:
        self.action = permitted_action(request, name)
        if self.action.incident is None:
            raise Http404
        self.target = self.action.incident
        self.page: IncidentPage = or_404(IncidentPage.open(request.GET, person=request.user, pk=str(pk)))
        access.demand(request.user, self.action.permission, self.page.incident)
        self.incidents = Incident.objects.filter(pk=pk)

    def dialog(self, request: AuthenticatedRequest, *, initial: dict[str, object]) -> ActionDialog:
        return ActionDialog.of_incidents(request, self.action, TEMPLATE, incidents=self.incidents, initial=initial)

    def before(self) -> IncidentsBefore:
        return IncidentsBefore.of(self.action.name, self.incidents)

    def perform(self, terms: ActionTerms, *, by: User, at: datetime, version: int | None) -> None:
        self.target.perform(self.incidents, by=by, at=at, version=version, **terms)


def permitted_action(request: AuthenticatedRequest, name: str) -> OperatorAction:
    """The action of this name, if the person has its permission for anything. Raises Http404, Forbidden."""
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    access.demand(request.user, action.permission)
    return action
