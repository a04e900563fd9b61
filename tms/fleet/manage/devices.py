"""Replacing the device of a terminal, and swapping those of two."""

from typing import NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.fleet.credentials import services as credentials
from tms.fleet.credentials.services import Retired
from tms.fleet.devices import placements, undo
from tms.fleet.enrolment import tokens
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.manage import page
from tms.fleet.manage.device_forms import ReplaceForm, SwapForm, placed_text
from tms.fleet.manage.forms import ReasonForm
from tms.fleet.manage.keys import retired_text
from tms.fleet.manage.page import Question
from tms.fleet.manage.rows import MARK_CHARACTERS
from tms.fleet.manage.views import show_terminal
from tms.fleet.models import Credential, Device, Terminal


class Fate(NamedTuple):
    """A line of the preview: what stays, moves or ends."""

    label: str
    text: str


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def replace_device(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """POST shows the new key once; with `then=token` an enrolment token with which the device fetches it."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    if terminal.lifecycle == Lifecycle.RETIRED:
        return show_terminal(request, terminal, problem=retired_text(terminal))
    placed = placements.device_of(terminal)
    data = request.POST if request.method == "POST" else None
    form = ReplaceForm(data, terminal=terminal, placed=placed, by=request.user)
    if form.is_bound and form.is_valid():
        try:
            return _replace(request, terminal, form)
        except placements.AlreadyPlaced as error:
            form.add_error("device", placed_text(error.placement.terminal, by=request.user))
        except Retired:
            return show_terminal(request, page.find_terminal(request, uid), problem=retired_text(terminal))
    question = Question(gettext("Replace the device of %(uid)s") % {"uid": uid}, [], gettext("Replace and show key"))
    return page.ask(
        request, terminal, question, form, template="replace", fates=_fates(terminal, placed), placed=placed
    )


@transaction.atomic
def _replace(request: AuthenticatedRequest, terminal: Terminal, form: ReplaceForm) -> HttpResponse:
    at, device, comment = timezone.now(), form.chosen_device(), form.cleaned_data["comment"]
    placements.exchange(terminal, device, removed_becomes=form.state, by=request.user, at=at, comment=comment)
    if request.POST.get("then") != "token":
        return page.show_key(request, terminal, credentials.issue(terminal, device=device))
    limits = tokens.TokenLimits(terminal=terminal, serials=[device.serial] if device.serial else [])
    token = tokens.make_token(limits, by=request.user, at=at)
    return page.show_token(request, terminal, token, serial=device.serial, valid_until=at + limits.max_validity)


def _fates(terminal: Terminal, placed: Device | None) -> list[Fate]:
    fates = [
        Fate(gettext("Stays with the terminal"), gettext("its UID, groups, rules, alerts, history and availability"))
    ]
    if placed is not None:
        fates.append(Fate(gettext("Moves with the old device"), gettext("its serial number and its own history")))
    keys = Credential.objects.valid(timezone.now()).filter(terminal=terminal)
    marks = gettext(", ").join(digest[:MARK_CHARACTERS] for digest in keys.values_list("digest", flat=True))
    if marks:
        text = gettext("keys: %(keys)s. The link closes within 5 seconds.") % {"keys": marks}
        fates.append(Fate(gettext("Ends now"), text))
    return fates


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def undo_replacement(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """The device before serves again, with its keys. 409 once it is too late."""
    terminal, at = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS), timezone.now()
    replaced = undo.undoable(terminal, at=at)
    if replaced is None:
        return show_terminal(request, terminal, problem=_too_late())
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return page.ask(request, terminal, _about_undoing(terminal, replaced), form)
    try:
        undo.undo(terminal, by=request.user, at=at, comment=form.cleaned_data["comment"])
    except (undo.CannotUndo, Retired):
        return show_terminal(request, page.find_terminal(request, uid), problem=_too_late())
    messages.success(request, gettext("Replacement undone"))
    return redirect(page.address_of(terminal))


def _too_late() -> str:
    return gettext(
        "This replacement cannot be undone: the new device was connected, 10 minutes are over, or the device before "
        "serves elsewhere. Replace the device instead."
    )


def _about_undoing(terminal: Terminal, replaced: undo.Replaced) -> Question:
    devices = {"old": replaced.old.device, "new": replaced.new.device}
    return Question(
        gettext("Undo the replacement of the device of %(uid)s") % {"uid": terminal.uid},
        [
            gettext("%(old)s serves again, with its keys. It connects within 10 minutes.") % devices,
            gettext("%(new)s becomes a spare. Its key and its token are revoked.") % devices,
        ],
        gettext("Undo replacement"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def swap_devices(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """Needs the permission for both terminals."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    data = request.POST if request.method == "POST" else None
    form = SwapForm(data, terminal=terminal, by=request.user)
    if not form.is_bound or not form.is_valid():
        return page.ask(request, terminal, _about_swapping(terminal), form)
    other, comment = form.cleaned_data["other"], form.cleaned_data["comment"]
    try:
        placements.swap(terminal, other, by=request.user, at=timezone.now(), comment=comment)
    except placements.NoDevice as error:
        problem = gettext("%(uid)s has no device. Replace it instead.") % {"uid": error.uid}
        return page.ask(request, terminal, _about_swapping(terminal), form, problem=problem)
    messages.success(request, gettext("Devices swapped"))
    return redirect(page.address_of(terminal))


def _about_swapping(terminal: Terminal) -> Question:
    return Question(
        gettext("Swap the device of %(uid)s with that of another terminal") % {"uid": terminal.uid},
        [
            gettext("Each device serves as the other terminal from now on, and takes its keys along."),
            gettext("Both links close within 5 seconds. The devices connect again by themselves."),
            gettext("Groups, rules, alerts, history and availability stay with the terminals."),
        ],
        gettext("Swap"),
        is_dangerous=True,
    )
