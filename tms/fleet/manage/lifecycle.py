"""Changing the lifecycle state of one terminal. Each page says the consequences before."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import Proposal, propose
from tms.approvals.kinds import CannotPerform
from tms.fleet.devices import placements
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage import page
from tms.fleet.manage.forms import ReasonForm, RetireForm, StateForm
from tms.fleet.manage.page import Question
from tms.fleet.manage.views import MEANINGS, show_terminal
from tms.fleet.models import Credential, Terminal
from tms.fleet.terminals import lifecycle_changes, services
from tms.fleet.terminals.lifecycle_changes import BRING_BACK_WITHIN, NotPossible
from tms.fleet.terminals.retirement import RetirePayload


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def change_state(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """GET asks, about the state `to`. POST puts the terminal into service or takes it out."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    is_sent = request.method == "POST"
    form = StateForm(request.POST if is_sent else None, terminal=terminal, initial={"to": request.GET.get("to", "")})
    if not is_sent or not form.is_valid():
        return page.ask(request, terminal, _about_state(terminal, request.GET.get("to", "")), form)
    to, comment = Lifecycle(form.cleaned_data["to"]), form.cleaned_data["comment"]

    def change(at: datetime) -> None:
        lifecycle_changes.change_state([terminal.pk], to, by=request.user, at=at, comment=comment)

    return _do(request, terminal, change)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def retire_terminal(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """The last working lane of an open site needs a second person, or else its number."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    device, is_sent, at = placements.device_of(terminal), request.method == "POST", timezone.now()
    proposal = propose(Act.RETIRE, RetirePayload((terminal.pk,)), by=request.user, at=at)
    word = proposal.word if proposal.must_be_typed else ""
    form = RetireForm(request.POST if is_sent else None, serial=device.serial if device else None, word=word)
    if not is_sent or not form.is_valid():
        return page.ask(request, terminal, _about_retiring(terminal, proposal), form)
    comment = form.cleaned_data["comment"]
    proposal = proposal._replace(payload=RetirePayload((terminal.pk,), form.state, comment))
    if proposal.needs_approval:
        return redirect(approvals.ask(proposal, reason=comment, by=request.user, at=at))

    def change(at: datetime) -> None:
        with approvals.alone(proposal, reason=comment, by=request.user):
            proposal.kind.perform(proposal.payload, by=request.user, at=at)

    return _do(request, terminal, change)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def bring_back_terminal(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    if terminal.lifecycle != Lifecycle.RETIRED:
        return redirect(page.address_of(terminal))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return page.ask(request, terminal, _about_bringing_back(terminal), form)

    def change(at: datetime) -> None:
        lifecycle_changes.bring_back([terminal.pk], by=request.user, at=at, comment=form.cleaned_data["comment"])

    return _do(request, terminal, change)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def delete_terminal(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """Deletes a terminal that was never connected."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    if request.method != "POST":
        return page.ask(request, terminal, _about_deleting(terminal))
    try:
        services.delete_terminal(terminal)
    except services.HasHistory:
        text = gettext("%(uid)s was connected once, so it has a history. Retire it instead.")
        return show_terminal(request, terminal, problem=text % {"uid": uid})
    messages.success(request, gettext("%(uid)s deleted") % {"uid": uid})
    return redirect("terminals")


def _do(request: AuthenticatedRequest, terminal: Terminal, change: Callable[[datetime], None]) -> HttpResponse:
    try:
        change(timezone.now())
    except NotPossible as error:
        return show_terminal(request, page.find_terminal(request, terminal.uid), problem=_why_not(error))
    except CannotPerform as error:
        return show_terminal(request, page.find_terminal(request, terminal.uid), problem=str(error))
    messages.success(request, gettext("Saved"))
    return redirect(page.address_of(terminal))


def _why_not(error: NotPossible) -> str:
    terminal = error.terminal
    if terminal.lifecycle == Lifecycle.RETIRED:
        text = gettext("%(uid)s was retired more than %(days)s days ago. Enrol a new terminal instead.")
        return text % {"uid": terminal.uid, "days": BRING_BACK_WITHIN.days}
    text = gettext("%(uid)s cannot change from “%(before)s” to “%(after)s”.")
    before = Lifecycle(terminal.lifecycle).label
    return text % {"uid": terminal.uid, "before": before, "after": error.to.label}


def _about_state(terminal: Terminal, to: str) -> Question:
    if to not in Lifecycle.values:
        return Question(gettext("Change the state of %(uid)s") % {"uid": terminal.uid}, [], gettext("Change"))
    state = Lifecycle(to)
    title = gettext("%(uid)s: %(state)s?") % {"uid": terminal.uid, "state": state.label}
    return Question(title, _consequences(terminal, state), gettext("Change"))


def _about_retiring(terminal: Terminal, proposal: Proposal) -> Question:
    at = timezone.now()
    title = gettext("Retire %(uid)s?") % {"uid": terminal.uid}
    text = gettext("You can bring it back within %(days)s days.") % {"days": BRING_BACK_WITHIN.days}
    lines = [*_gate(proposal), *_revoked(terminal, at), *_consequences(terminal, Lifecycle.RETIRED), text]
    act = gettext("Ask for approval") if proposal.needs_approval else gettext("Retire")
    return Question(title, lines, act, is_dangerous=True)


def _gate(proposal: Proposal) -> Iterable[str]:
    """Why it needs a second person, or a typed number."""
    if not proposal.needs_approval and not proposal.must_be_typed:
        return
    yield gettext("It is the last working lane of an open site.")
    if proposal.needs_approval:
        yield gettext("A second person must approve this. Nothing is done until then.")
    else:
        yield gettext("Nobody on shift could approve this. You can confirm it alone; the audit trail records that.")


def _about_bringing_back(terminal: Terminal) -> Question:
    [before] = lifecycle_changes.states_before([terminal.pk]).values()
    state = Lifecycle(before)
    lines = [
        gettext("It returns to the state “%(state)s”.") % {"state": state.label},
        gettext("Its device returns with its keys, unless it is lost or serves elsewhere now."),
        gettext("Commands and maintenance windows that ended do not return."),
    ]
    title = gettext("Bring back %(uid)s?") % {"uid": terminal.uid}
    return Question(title, lines, gettext("Bring back"))


def _about_deleting(terminal: Terminal) -> Question:
    title = gettext("Delete %(uid)s?") % {"uid": terminal.uid}
    if terminal.state.last_seen_at is not None:
        return Question(title, [gettext("It was connected once, so it has a history. Retire it instead.")], "")
    lines = [gettext("It was never connected. It is deleted with its keys, and cannot be brought back.")]
    return Question(title, lines, gettext("Delete"), is_dangerous=True)


def _consequences(terminal: Terminal, to: Lifecycle) -> list[str]:
    return [str(MEANINGS[to]), *lifecycle_changes.consequences([terminal.pk], to)]


def _revoked(terminal: Terminal, at: datetime) -> Iterable[str]:
    number = Credential.objects.valid(at).filter(terminal=terminal).count()
    if number:
        text = ngettext(
            "%(n)s key is revoked, and its link closes within 5 seconds.",
            "%(n)s keys are revoked, and its link closes within 5 seconds.",
            number,
        )
        yield text % {"n": number}
