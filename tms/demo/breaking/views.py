"""Pages on which a visitor of the demo breaks something, and repairs it."""

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts.access import may
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.demo.breaking import bad_rollout, client
from tms.demo.breaking.faults import FaultKind
from tms.demo.breaking.forms import PERMISSION, BreakForm, offered_targets, own, row_of
from tms.demo.breaking.messages import Answer, Ask, StartFault, UndoFault
from tms.demo.tour import COOKIE, COOKIE_AGE_S
from tms.fleet.models import Site, Terminal
from tms.rollouts.services import RolloutRefused

type Changes = Mapping[str, tuple[str | None, str | None]]

ERRORS = {
    "unknown-target": _("The simulator does not have this site or terminal."),
    "unsuitable": _("This terminal does not have the part that would fail. Choose another one."),
    "too-many": _("Twenty things are broken already. Undo one first."),
}
WITHDRAWN = _("Somebody withdrew this software. Seed the demo again to have it back.")
UNREACHABLE = _("The simulator does not answer. Try again.")
EMPTY = _("This demo has no simulated terminals. Start it with some: TERMINALS=200 make run")


class FaultText(NamedTuple):
    label: str | Promise
    hint: str | Promise
    button: str | Promise


TEXTS = {
    FaultKind.CUT_SITE: FaultText(
        _("Cut the line of a site"),
        _("Its terminals become silent, then offline. After about a minute and a half they are one incident."),
        pgettext_lazy("demo", "Cut"),
    ),
    FaultKind.HEAT: FaultText(
        _("Heat a terminal"),
        _("Its temperature rises above both thresholds. An alert opens after a minute."),
        pgettext_lazy("demo", "Heat"),
    ),
    FaultKind.USE_UP_PAPER: FaultText(
        _("Empty the paper"), _("An alert opens at once; undo it to refill the paper."), pgettext_lazy("demo", "Use up")
    ),
    FaultKind.JAM_READER: FaultText(
        _("Card-reader fault"),
        _("The terminal reports a fault, and a critical alert opens at once."),
        pgettext_lazy("demo", "Jam"),
    ),
    FaultKind.CLONE: FaultText(
        _("Clone a terminal"),
        _("A second device uses the same credential. The two replace each other, and TMS raises an alert."),
        pgettext_lazy("demo", "Clone"),
    ),
    FaultKind.SWAP_DEVICE: FaultText(
        _("Swap a device"),
        _(
            "A payment terminal restarts as a device with another serial number. An alert opens as soon as it "
            "connects, until a person confirms the device or it is the old one again."
        ),
        pgettext_lazy("demo", "Swap"),
    ),
    FaultKind.CRASH: FaultText(
        _("Crash a terminal"),
        _("Drops without a shutdown message and restarts within a minute."),
        pgettext_lazy("demo", "Crash"),
    ),
}


def demo_only[**P](view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Answer 404 instead of `view` in a TMS that is no demo."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not client.is_demo():
            raise Http404
        return view(*args, **kwargs)

    return guarded


@require_safe
@never_cache
@needs(PERMISSION)
@demo_only
def break_something(request: AuthenticatedRequest) -> HttpResponse:
    return _show(request)


@require_POST
@needs(PERMISSION)
@demo_only
def start_fault(request: AuthenticatedRequest) -> HttpResponse:
    form = BreakForm(request.POST, by=request.user)
    if not form.is_valid() or form.row is None:
        error = next(iter(form.errors.values()))[0]
        return _show(request, error=error, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    asked = StartFault(FaultKind(form.cleaned_data["fault"]), form.cleaned_data["target"])
    answer = _carry_out(asked, "broken", form.row, {"fault": (None, asked.fault.value)})
    if answer is None or answer.error:
        error = UNREACHABLE if answer is None else ERRORS.get(answer.error, UNREACHABLE)
        return _show(request, error=error, status=HTTPStatus.CONFLICT)
    return redirect("break-something")


@require_POST
@needs(PERMISSION)
@demo_only
def undo_fault(request: AuthenticatedRequest, number: int) -> HttpResponse:
    """End a fault. Idempotent. A fault of a site or terminal that the person may not break goes on."""
    answer = _send(Ask())
    going = own(answer.broken, request.user) if answer else []
    fault = next((one for one in going if one.number == number), None)
    row = row_of(fault.fault, fault.target, request.user) if fault else None
    if fault is not None and row is not None:
        answer = _carry_out(UndoFault(number), "fault-undone", row, {"fault": (fault.fault.value, None)})
    if answer is None:
        return _show(request, error=UNREACHABLE, status=HTTPStatus.CONFLICT)
    return redirect("break-something")


@require_POST
@needs(Permission.RUN_ROLLOUTS)
@demo_only
def start_bad_rollout(request: AuthenticatedRequest) -> HttpResponse:
    found = bad_rollout.artifact()
    if found is None:
        return _show(request, error=WITHDRAWN, status=HTTPStatus.CONFLICT)
    try:
        rollout = bad_rollout.start(found, by=request.user, at=timezone.now())
    except RolloutRefused as refused:
        return _show(request, error=str(refused), status=HTTPStatus.CONFLICT)
    return redirect(rollout)


@require_POST
@sign_in_required
@demo_only
def end_tour(request: HttpRequest) -> HttpResponse:
    """The tour is not shown in this browser again."""
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    response.set_cookie(COOKIE, "over", max_age=COOKIE_AGE_S, httponly=True, samesite="Lax")
    return response


def _show(
    request: AuthenticatedRequest, *, error: str | Promise | ValidationError = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    answer = _send(Ask())
    faults = [(fault, text, offered_targets(fault, request.user)) for fault, text in TEXTS.items()]
    if not error and answer is None:
        error = UNREACHABLE if any(choices for _fault, _text, choices in faults) else EMPTY
    context = {
        "nav_item": "break",
        "faults": faults,
        "broken": [(one, TEXTS[one.fault].label) for one in own(answer.broken, request.user)] if answer else (),
        "error": error,
        "has_bad_software": may(request.user, Permission.RUN_ROLLOUTS) and bad_rollout.artifact() is not None,
    }
    return render(request, "demo/break.html", context, status=status)


def _carry_out(asked: StartFault | UndoFault, action: str, row: Site | Terminal, changes: Changes) -> Answer | None:
    """Send it to the simulator, with its audit entry. Without one if the simulator does not do it."""
    with transaction.atomic():
        recorder.record(action, row, changes)
        answer = _send(asked)
        transaction.set_rollback(answer is None or bool(answer.error))
    return answer


def _send(request: StartFault | UndoFault | Ask) -> Answer | None:
    """The answer of the simulator; None if it does not answer."""
    try:
        return client.send(request)
    except client.SimulatorUnreachable:
        return None
