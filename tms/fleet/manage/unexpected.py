"""What a person decides about an unexpected device: confirm that it was replaced, or block the key that it used."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.credentials.services import Retired
from tms.fleet.devices import placements, unexpected
from tms.fleet.manage import page
from tms.fleet.manage.forms import RemovalForm
from tms.fleet.manage.keys import retired_text
from tms.fleet.manage.page import Question
from tms.fleet.manage.views import show_terminal
from tms.fleet.models import Placement, Terminal, UnexpectedDevice
from tms.fleet.models.device import DeviceState
from tms.fleet.models.unexpected_device import Decision

DECISIONS = (Decision.CONFIRMED, Decision.BLOCKED)


class UnexpectedDeviceForm(RemovalForm):
    decision = forms.ChoiceField(choices=[(decision.value, decision.label) for decision in DECISIONS])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_TERMINALS)
def decide(request: AuthenticatedRequest, uid: str, pk: int) -> HttpResponse:
    """POST with `decision`: `confirmed`, or `blocked`, which needs the permission for keys, too."""
    terminal = page.find_terminal(request, uid, Permission.MANAGE_TERMINALS)
    found = get_object_or_404(UnexpectedDevice.objects.select_related("terminal"), terminal=terminal, pk=pk)
    placed = placements.device_of(terminal)
    data = request.POST if request.method == "POST" else None
    initial = {"becomes": DeviceState.IN_REPAIR.value}
    form = UnexpectedDeviceForm(data, serial=placed.serial if placed else None, initial=initial)
    if not form.is_bound or not form.is_valid():
        may_block = access.may(request.user, Permission.ENROL_TERMINALS, terminal)
        question = _about(found, by=request.user)
        return page.ask(request, terminal, question, form, template="unexpected", found=found, may_block=may_block)
    try:
        _decide(found, form, by=request.user)
    except Retired:
        return show_terminal(request, page.find_terminal(request, uid), problem=retired_text(terminal))
    except unexpected.AlreadyDecided:
        text = gettext("Somebody else decided about this device, or the placed device is back.")
        return show_terminal(request, page.find_terminal(request, uid), problem=text)
    messages.success(request, gettext("Saved"))
    return redirect(page.address_of(terminal))


def _decide(found: UnexpectedDevice, form: UnexpectedDeviceForm, *, by: User) -> None:
    at, comment = timezone.now(), form.cleaned_data["comment"]
    if form.cleaned_data["decision"] == Decision.BLOCKED:
        access.demand(by, Permission.ENROL_TERMINALS, found.terminal)
        unexpected.block(found, by=by, at=at, comment=comment)
        return
    if (other := _serves_as(found)) is not None:
        access.demand(by, Permission.MANAGE_TERMINALS, other)  # it loses the device
    unexpected.confirm(found, removed_becomes=form.state, by=by, at=at, comment=comment)


def _serves_as(found: UnexpectedDevice) -> Terminal | None:
    """The other terminal as which the device is placed now."""
    placed = Placement.objects.open().filter(device__serial=found.serial).exclude(terminal=found.terminal_id)
    placement = placed.select_related("terminal").first()
    return placement.terminal if placement else None


def _about(found: UnexpectedDevice, *, by: User) -> Question:
    names = {"serial": found.serial, "uid": found.terminal.uid}
    lines = [
        gettext(
            "Confirm: the device was replaced. %(serial)s serves as %(uid)s from now on, with the keys that it uses."
        )
        % names
    ]
    other = _serves_as(found)
    if other is not None and access.visible(Terminal.objects.filter(pk=other.pk), to=by).exists():
        lines.append(gettext("%(other)s has no device then.") % {"other": other.uid})
    elif other is not None:
        lines.append(gettext("The other terminal as which it serves has no device then."))
    lines.append(gettext("Block: the key that it used is revoked, and its link closes within 5 seconds."))
    title = gettext("Unexpected device %(serial)s at %(uid)s") % names
    return Question(title, lines, gettext("Confirm"))
