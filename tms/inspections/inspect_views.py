"""The page on which a person inspects a device, made for phones."""

import uuid
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.fleet.devices import placements
from tms.fleet.models import Terminal
from tms.inspections import listing, services
from tms.inspections.forms import InspectionForm
from tms.inspections.models import Inspection, InspectionResult, Round, RoundMember, Surrounding
from tms.inspections.views import find_round
from tms.lib.db.natural_order import natural

MAX_WAITING = 2_000
"""Devices of one site that are considered for the next one."""


@require_safe
@never_cache
@needs(Permission.INSPECT_TERMINALS)
def next_device(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Go to the next device of a `site` that was not inspected: the one after `skip`, or the first."""
    chosen = find_round(request, pk)
    uid = _next_uid(request, chosen, request.GET.get("site", ""), request.GET.get("skip", ""))
    if uid:
        return redirect("inspect-device", pk, uid)
    messages.success(request, gettext("Nothing is left to inspect there."))
    return redirect(f"{reverse('inspections')}?round={pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.INSPECT_TERMINALS)
def inspect_device(request: AuthenticatedRequest, pk: int, uid: str) -> HttpResponse:
    """POST: record what was found. JSON for the script that sends it later; the same `key` is stored once."""
    visit = _visit(request, pk, uid)
    if request.method != "POST":
        current = visit.member.current
        if current is not None and request.GET.get("correct", "") != str(current.pk):
            return redirect(current)
        return _show(request, visit, _empty_form(visit))
    form = InspectionForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            return _done(request, visit, _record(request, visit, form))
    except ValidationError as error:
        form.add_faults(error)
    except services.AlreadyInspected as refused:
        return _refuse(request, visit, form, _inspected_text(refused.inspection), refused.inspection)
    except services.RoundClosed:
        return _refuse(request, visit, form, gettext("This round is closed."))
    except services.NotOnRound:
        return _refuse(request, visit, form, gettext("This terminal is not part of the round any more."))
    return _show(request, visit, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


class Visit(NamedTuple):
    """A person stands in front of a device."""

    round: Round
    terminal: Terminal
    member: RoundMember


def _visit(request: AuthenticatedRequest, pk: int, uid: str) -> Visit:
    chosen = find_round(request, pk)
    rows = access.visible(Terminal.objects.select_related("site", "state"), to=request.user)
    terminal = get_object_or_404(rows, uid=uid)
    members = RoundMember.objects.select_related("current__by", "before")
    member = get_object_or_404(members, round=chosen, terminal=terminal)
    access.demand(request.user, Permission.INSPECT_TERMINALS, terminal)
    return Visit(chosen, terminal, member)


def _record(request: AuthenticatedRequest, visit: Visit, form: InspectionForm) -> Inspection:
    sent = form.cleaned_data
    return services.record(
        visit.round,
        visit.terminal,
        form.found,
        key=sent["key"],
        by=request.user,
        at=timezone.now(),
        done_at=sent["done_at"],
        corrects=sent["corrects"],
    )


def _done(request: AuthenticatedRequest, visit: Visit, made: Inspection) -> HttpResponse:
    """The next device; for anything but *in order* first what follows from it."""
    following = f"{reverse('next-device', args=(visit.round.pk,))}?{urlencode({'site': visit.terminal.site.code})}"
    if _is_script(request):
        return JsonResponse({"result": made.result, "page": made.get_absolute_url(), "next": following})
    if made.result != InspectionResult.IN_ORDER:
        return redirect(made)
    text = gettext("%(uid)s: %(result)s") % {"uid": visit.terminal.uid, "result": made.get_result_display()}
    messages.success(request, text)
    return redirect(following)


def _refuse(
    request: AuthenticatedRequest, visit: Visit, form: InspectionForm, problem: str, other: Inspection | None = None
) -> HttpResponse:
    return _show(request, visit, form, problem=problem, other=other, status=HTTPStatus.CONFLICT)


def _inspected_text(other: Inspection) -> str:
    who = other.by.display_name if other.by else gettext("somebody")
    return gettext("%(person)s has inspected it on this round.") % {"person": who}


def _is_script(request: AuthenticatedRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _empty_form(visit: Visit) -> InspectionForm:
    last, current = visit.member.last, visit.member.current
    initial = {"key": uuid.uuid4(), "corrects": current.pk if current else None}
    return InspectionForm(seals=last.seals if last else [], initial=initial)


def _show(
    request: AuthenticatedRequest,
    visit: Visit,
    form: InspectionForm,
    *,
    problem: str = "",
    other: Inspection | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    if _is_script(request):
        texts = [problem] if problem else [text for found in form.errors.values() for text in found]
        return JsonResponse({"errors": texts or [gettext("Check the seals.")]}, status=status)
    device = placements.device_of(visit.terminal)
    expected = device.serial if device else ""
    code = visit.terminal.site.code
    counts = _progress(request, visit)
    values: dict[str, Any] = {
        "nav_item": "inspections",
        "round": visit.round,
        "terminal": visit.terminal,
        "device": device,
        "expected": (expected[: -services.LABEL_END], expected[-services.LABEL_END :]),
        "form": form,
        "surroundings": [(one.value, one.label, one.value in _ticked(form)) for one in Surrounding],
        "before": visit.member.last,
        "problem": problem,
        "other": other,
        "number": counts["inspected"] + (visit.member.current is None),
        "skip": f"{reverse('next-device', args=(visit.round.pk,))}?"
        + urlencode({"site": code, "skip": visit.terminal.uid}),
        **counts,
    }
    return render(request, "inspections/inspect.html", values, status=status)


def _ticked(form: InspectionForm) -> list[str]:
    return list(form["surroundings"].value() or ())


def _of_site(request: AuthenticatedRequest, chosen: Round, code: str) -> Any:
    members = listing.members_of(chosen, request.user)
    return members.filter(terminal__site__code=code) if code else members


def _progress(request: AuthenticatedRequest, visit: Visit) -> dict[str, int]:
    """Numbers of the site."""
    members = _of_site(request, visit.round, visit.terminal.site.code)
    found: dict[str, int] = members.aggregate(total=Count("pk"), inspected=Count("pk", filter=Q(current__isnull=False)))
    return {**found, "waiting": found["total"] - found["inspected"]}


def _next_uid(request: AuthenticatedRequest, chosen: Round, code: str, skip: str) -> str:
    waiting = _of_site(request, chosen, code).filter(current=None)
    waiting = waiting.order_by("terminal__site__code", natural("terminal__uid"))
    permitted = access.permitted(Terminal.objects.all(), by=request.user, permission=Permission.INSPECT_TERMINALS)
    uids: list[str] = list(
        waiting.filter(terminal__in=permitted.values("pk")).values_list("terminal__uid", flat=True)[:MAX_WAITING]
    )
    others = [uid for uid in uids if uid != skip]  # a device that was skipped alone is still on the list
    if skip in uids and others:
        return uids[(uids.index(skip) + 1) % len(uids)]
    return others[0] if others else ""
