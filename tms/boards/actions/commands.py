"""Commands to a terminal. A dangerous one is confirmed in a dialog that shows its consequences."""

import json
from http import HTTPStatus

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget
from msgspec.structs import replace

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import Proposal, propose
from tms.boards.approvals.views import render_asked
from tms.boards.dialogs.confirmation import ConfirmationForm
from tms.boards.pages import TerminalPage
from tms.boards.responses import or_404, render_dialog, render_page
from tms.commands import catalogue, services
from tms.commands.approvals import CommandPayload
from tms.commands.forms import CommandForm
from tms.commands.services import CommandRefused
from tms.fleet.models import Presence, Terminal


@require_POST
@needs(Permission.SEND_COMMANDS)
def send_command(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """A dangerous command needs confirmation: a second POST with `sure`."""
    page = or_404(TerminalPage.open(request.GET, person=request.user, uid=uid))
    danger = catalogue.is_dangerous(request.POST.get("name", ""))
    needed = Permission.SEND_DANGEROUS_COMMANDS if danger else Permission.SEND_COMMANDS
    access.demand(request.user, needed, page.terminal)
    form = CommandForm(request.POST, person=request.user, terminal=page.terminal)
    if not form.is_valid():
        return _panel(request, page, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if danger:
        return _send_dangerous(request, page, form)
    try:
        services.queue(page.terminal, by=request.user, at=timezone.now(), **form.values)
    except CommandRefused as error:  # the catalogue has changed at this moment
        form.add_error("name", str(error))
        return _panel(request, page, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _send(request, page, form, partial="ask")


@require_safe
@never_cache
@needs(Permission.SEND_COMMANDS)
def command_arguments(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """The fields of the arguments of the command `name`, when somebody chooses it."""
    page = or_404(TerminalPage.open(request.GET, person=request.user, uid=uid))
    access.demand(request.user, Permission.SEND_COMMANDS, page.terminal)
    form = CommandForm(person=request.user, terminal=page.terminal, chosen=request.GET.get("name", ""))
    return render(request, "boards/commands.html#arguments", {"form": form})


def _send_dangerous(request: AuthenticatedRequest, page: TerminalPage, form: CommandForm) -> HttpResponse:
    at, is_confirmed = timezone.now(), request.POST.get("sure") == "1"
    payload = CommandPayload(terminal=page.terminal.pk, **form.values)
    proposal = propose(Act.COMMAND, payload, by=request.user, at=at)
    confirmation = _confirmation(request.POST if is_confirmed else None, page.terminal, proposal)
    if not is_confirmed or not confirmation.is_valid():
        return _confirm(request, page, form, proposal, confirmation)
    reason = confirmation.cleaned_data["reason"]
    proposal = proposal._replace(payload=replace(payload, reason=reason))
    if proposal.needs_approval:
        asked = approvals.ask(proposal, reason=reason, by=request.user, at=at)
        answer = render_asked(request, asked)
        return _into_dialog(answer) if request.htmx else answer
    with approvals.alone(proposal, reason=reason, by=request.user):
        proposal.kind.perform(proposal.payload, by=request.user, at=at)
    return _send(request, page, form, partial="sent")


def _confirmation(data: QueryDict | None, terminal: Terminal, proposal: Proposal) -> ConfirmationForm:
    """The last lane needs a second person, or else its number."""
    is_typed = proposal.impact.takes_last_lane and not proposal.needs_approval
    words = (terminal.short_uid, terminal.uid) if is_typed else ()
    return ConfirmationForm(data, words=words, needs_reason=proposal.needs_approval)


def _send(request: AuthenticatedRequest, page: TerminalPage, form: CommandForm, *, partial: str) -> HttpResponse:
    return _panel(request, page, form, partial=partial) if request.htmx else redirect(page.terminal)


def _panel(
    request: AuthenticatedRequest,
    page: TerminalPage,
    form: CommandForm,
    *,
    partial: str = "ask",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render_page(request, page, results=f"boards/commands.html#{partial}", form=form, status=status)


def _confirm(
    request: AuthenticatedRequest,
    page: TerminalPage,
    form: CommandForm,
    proposal: Proposal,
    confirmation: ConfirmationForm,
) -> HttpResponse:
    """The confirmation as a dialog for htmx, although the form has another target."""
    context = {
        "nav_item": page.nav_item,
        "terminal": page.terminal,
        "is_online": page.terminal.state.presence == Presence.ONLINE,
        "command": form.spec,
        "arguments": json.dumps(proposal.payload.args, ensure_ascii=False) if proposal.payload.args else "",
        "proposal": proposal,
        "impact": proposal.impact,
        "confirmation": confirmation,
        "fields": form.entered,
        "at": proposal.impact.at,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if confirmation.is_bound else HTTPStatus.OK
    answer = render_dialog(request, "boards/command-confirm.html", context, status=status)
    return _into_dialog(answer) if request.htmx else answer


def _into_dialog(answer: HttpResponse) -> HttpResponse:
    return reswap(retarget(answer, "#dialog"), "innerHTML")
