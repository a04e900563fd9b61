"""The dialog of an operator action: its form, its consequences, and the gate before it is performed."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from http import HTTPStatus
from typing import Self

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone

from tms.accounts.access import visible
from tms.accounts.decorators import AuthenticatedRequest
from tms.alerts.actions.action import OperatorAction
from tms.alerts.actions.approvals import GATED, propose_incidents, propose_many
from tms.alerts.actions.terms import ActionTerms
from tms.alerts.consequences import of_alerts
from tms.alerts.models import Alert, AlertQuerySet, Incident
from tms.alerts.models.incident import IncidentQuerySet
from tms.approvals.gate import Proposal
from tms.boards.dialogs.gate import asked_in_dialog, pass_gate
from tms.boards.responses import render_dialog

type Propose = Callable[[ActionTerms, datetime], Proposal]
"""A function that proposes the action from its terms, which are empty before they are sent, and the time of the
request.
"""


class ActionDialog:
    """One request: to show the form, or to perform the action.

    `alerts`: those that change. `affected`: those whose consequences the dialog states, None for none of them.
    `propose`: for actions that a second person may have to approve.
    """

    def __init__(
        self,
        request: AuthenticatedRequest,
        action: OperatorAction,
        template: str,
        *,
        alerts: AlertQuerySet,
        affected: AlertQuerySet | None = None,
        propose: Propose | None = None,
        initial: dict[str, object] | None = None,
    ) -> None:
        self.at, self.is_sent = timezone.now(), request.method == "POST"
        data = request.POST if self.is_sent else None
        self.form = action.form(data, alerts=alerts, at=self.at, by=request.user, initial=initial)
        self.context: dict[str, object] = {"action": action, "form": self.form, "at": self.at}
        self._request, self._action, self._template = request, action, template
        self._affected, self._propose = affected, propose

    @classmethod
    def of_alerts(
        cls,
        request: AuthenticatedRequest,
        action: OperatorAction,
        template: str,
        *,
        alerts: AlertQuerySet,
        incidents: Collection[Incident],
    ) -> Self:
        """The dialog of an action on many alerts, and on incidents that were selected beside them."""
        covered = alerts
        if incidents:
            listed = Q(pk__in=alerts.order_by().values("pk"))
            covered = Alert.objects.unresolved().filter(listed | Q(incident__in=incidents))

        def propose(terms: ActionTerms, at: datetime) -> Proposal:
            return propose_many(action.name, alerts, terms, by=request.user, at=at)

        gated = propose if action.name in GATED else None
        return cls(request, action, template, alerts=covered, affected=alerts, propose=gated)

    @classmethod
    def of_incidents(
        cls,
        request: AuthenticatedRequest,
        action: OperatorAction,
        template: str,
        *,
        incidents: Collection[Incident] | IncidentQuerySet,
        initial: dict[str, object] | None = None,
    ) -> Self:
        """The dialog of an action on incidents, a list or a queryset, and all of their alerts."""
        alerts = Alert.objects.unresolved().filter(incident__in=incidents)

        def propose(terms: ActionTerms, at: datetime) -> Proposal:
            return propose_incidents(action.name, incidents, terms, by=request.user, at=at)

        gated = propose if action.name in GATED else None
        return cls(request, action, template, alerts=alerts, affected=alerts, propose=gated, initial=initial)

    @property
    def is_ready(self) -> bool:
        """Whether the action may be performed: sent, with a valid form."""
        return self.is_sent and self.form.is_valid()

    @property
    def status(self) -> HTTPStatus:
        """The status of the response while the dialog is not ready."""
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.is_sent else HTTPStatus.OK

    def add_consequences(self) -> None:
        """What the action means now, where it changes whether people are notified."""
        if self._propose is not None:
            self.context |= asked_in_dialog(self._propose({}, self.at))
        elif self._action.effect and self._affected is not None:
            by = self._request.user
            self.context["impact"] = of_alerts(visible(self._affected, to=by), to=by, at=self.at)

    def gate(self) -> HttpResponse | AbstractContextManager[None]:
        """The transaction to perform it in; a response instead if an approval or a confirmation is missing."""
        if self._propose is None:
            return nullcontext()
        terms, at = self.form.terms(), self.at
        proposal, reason = self._propose(terms, at), terms.get("comment", "")
        return pass_gate(self._request, proposal, self.context, template=self._template, reason=reason, at=at)

    def render(self, status: HTTPStatus = HTTPStatus.OK, **context: object) -> HttpResponse:
        return render_dialog(self._request, self._template, self.context | context, status=status)

    def render_done(self, **context: object) -> HttpResponse:
        """The result of an action on many, which also empties the selection of the list."""
        answer = render_dialog(self._request, self._template, self.context | context, partial="done")
        answer["HX-Trigger"] = "bulk-action-done"
        return answer
