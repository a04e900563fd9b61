"""Does what people ask for at once, or asks them and a second person first."""

from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render

from tms.accounts.decorators import AuthenticatedRequest
from tms.approvals import services as approvals
from tms.approvals.gate import Proposal, Way
from tms.fleet.manage.forms import TypedForm
from tms.rollouts.models import Rollout

CONFIRMATION = ("is_confirmed", "typed", "csrfmiddlewaretoken")


def carry_out(
    request: AuthenticatedRequest, proposal: Proposal, *, reason: str, at: datetime, act: Callable[[], Rollout]
) -> HttpResponse:
    """Leads to the rollout that `act` returns, to the request for approval, or shows first what it means."""
    if proposal.way is not Way.AT_ONCE:
        is_sent = "is_confirmed" in request.POST
        form = _confirmation(request.POST if is_sent else None, proposal)
        if not is_sent or not form.is_valid():
            return _confirm(request, proposal, form)
    if proposal.needs_approval:
        return redirect(approvals.ask(proposal, reason=reason, by=request.user, at=at))
    with approvals.alone(proposal, reason=reason, by=request.user):
        made = act()
    return redirect(made)


def _confirmation(data: QueryDict | None, proposal: Proposal) -> TypedForm:
    form = TypedForm(data, word=proposal.word if proposal.must_be_typed else "")
    del form.fields["comment"]  # that of the rollout is the reason
    return form


def _confirm(request: AuthenticatedRequest, proposal: Proposal, form: TypedForm) -> HttpResponse:
    values = {"nav_item": "rollouts", "proposal": proposal, "form": form, "kept": list(_kept(request.POST))}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "rollouts/confirm.html", values, status=status)


def _kept(data: QueryDict) -> Iterator[tuple[str, str]]:
    """What was sent, to be sent again."""
    for name, values in data.lists():
        if name not in CONFIRMATION:
            yield from ((name, str(value)) for value in values)
