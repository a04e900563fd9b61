"""The gate of actions on many alerts or incidents: a second person, or a typed confirmation."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse, QueryDict

from tms.accounts.decorators import AuthenticatedRequest
from tms.approvals import services as approvals
from tms.approvals.gate import Proposal
from tms.boards.approvals.views import render_asked
from tms.boards.dialogs.confirmation import ConfirmationForm
from tms.boards.responses import render_dialog


def asked_in_dialog(proposal: Proposal) -> dict[str, object]:
    """What the dialog says of its consequences, and asks for."""
    return {"impact": proposal.impact, "proposal": proposal, "confirmation": _confirmation(None, proposal)}


def pass_gate(
    request: AuthenticatedRequest,
    proposal: Proposal,
    context: Mapping[str, object],
    *,
    template: str,
    reason: str,
    at: datetime,
) -> HttpResponse | AbstractContextManager[None]:
    """The transaction of the action; the response instead if a second person or a typed confirmation is missing."""
    if proposal.needs_approval:
        return render_asked(request, approvals.ask(proposal, reason=reason, by=request.user, at=at))
    confirmation = _confirmation(request.POST, proposal)
    if not confirmation.is_valid():
        asked = {"impact": proposal.impact, "proposal": proposal, "confirmation": confirmation}
        return render_dialog(request, template, {**context, **asked}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return approvals.alone(proposal, reason=reason, by=request.user)


def _confirmation(data: QueryDict | None, proposal: Proposal) -> ConfirmationForm:
    return ConfirmationForm(data, words=(proposal.word,) if proposal.must_be_typed else ())
