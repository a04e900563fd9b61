"""Pages of rounds: the list, starting and closing one, and what was found at a device."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from tms.accounts import access
from tms.accounts.access.grant_scopes import is_key
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.fleet.models import UnexpectedDevice
from tms.inspections import listing, services
from tms.inspections.forms import CloseRoundForm, RoundForm
from tms.inspections.listing import MAX_EARLIER, MAX_SITES, ListQuery
from tms.inspections.models import Inspection, InspectionResult, Round, RoundMember
from tms.inspections.photos import CONTENT_TYPES

MAX_ROUNDS = 20
"""Open rounds beside the list."""


@require_safe
@never_cache
@sign_in_required
def inspections(request: AuthenticatedRequest) -> HttpResponse:
    """The list of a `round`, by default of the newest open one, and the rounds."""
    rounds = access.visible(Round.objects.select_related("owner_site", "owner_group"), to=request.user)
    current, earlier = list(rounds.open()[:MAX_ROUNDS]), list(rounds.exclude(closed_at=None)[:MAX_EARLIER])
    chosen = asked_round(request) or next(iter([*current, *earlier]), None)
    values: dict[str, Any] = {
        "nav_item": "inspections",
        "chosen": chosen,
        "rounds": listing.progress_of(current, request.user),
        "earlier": listing.progress_of(earlier, request.user),
        "on_the_way": listing.on_the_way(current, request.user, timezone.now()),
        "may_manage": access.may(request.user, Permission.MANAGE_INSPECTIONS),
    }
    if chosen is not None:
        values |= _of_round(request, chosen)
    return render(request, "inspections/inspections.html", values)


def _of_round(request: AuthenticatedRequest, chosen: Round) -> dict[str, Any]:
    today = timezone.localdate()
    query = ListQuery.of(request.GET, today)
    members = listing.members_of(chosen, request.user)
    rows = listing.page_of(members, query, today)
    shown, has_next = rows[: listing.A_PAGE], len(rows) > listing.A_PAGE
    sites = listing.sites_of(members, get_language() or "en")
    found = listing.figures(members, today)
    begin = query.page * listing.A_PAGE
    return {
        "figures": found,
        "chips": _chips(found),
        "query": query,
        "words": query.words,
        "members": shown,
        "today": today,
        "first_row": begin + 1,
        "last_row": begin + len(shown),
        "previous": query.address(chosen, page=query.page - 1) if query.page else "",
        "next": query.address(chosen, page=query.page + 1) if has_next else "",
        "sites": sites,
        "sites_due": sites[:MAX_SITES],
        "left": access.visible(RoundMember.objects.filter(round=chosen).exclude(left=""), to=request.user).count(),
        "exported": query.address(chosen, show="", q="", page=0),
        "may_close": chosen.closed_at is None and access.may(request.user, Permission.MANAGE_INSPECTIONS, chosen),
        "may_inspect": access.may(request.user, Permission.INSPECT_TERMINALS),
    }


def _chips(found: listing.RoundFigures) -> list[tuple[str, str, int]]:
    """Filters: value, label and number."""
    return [
        ("overdue", gettext("Overdue"), found.overdue),
        ("due", gettext("Due in 14 days"), found.due),
        ("tampered", gettext("Tampered"), found.tampered),
        ("differs", gettext("Serial differs"), found.differs),
        ("no-photo", gettext("No photo"), found.no_photo),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_INSPECTIONS)
def new_round(request: AuthenticatedRequest) -> HttpResponse:
    form = RoundForm(request.POST if request.method == "POST" else None, by=request.user)
    if form.is_bound and form.is_valid():
        access.demand_within(request.user, Permission.MANAGE_INSPECTIONS, form.values.where.value)
        try:
            started = services.start_round(form.values, by=request.user, at=timezone.now())
        except services.NothingToInspect:
            text = gettext("There is nothing to inspect: no terminal of these is in service with a device.")
            form.add_error(None, text)
        else:
            messages.success(request, gettext("Started"))
            return redirect(f"{reverse('inspections')}?round={started.pk}")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "inspections/round-new.html", {"nav_item": "inspections", "form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.MANAGE_INSPECTIONS)
def close_round(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask first. 409 if it is closed."""
    chosen = find_round(request, pk)
    access.demand(request.user, Permission.MANAGE_INSPECTIONS, chosen)
    form = CloseRoundForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.close_round(chosen, by=request.user, at=timezone.now(), comment=form.cleaned_data["comment"])
        except services.RoundClosed:
            return _ask_to_close(request, chosen, form, status=HTTPStatus.CONFLICT)
        messages.success(request, gettext("Closed"))
        return redirect(f"{reverse('inspections')}?round={chosen.pk}")
    return _ask_to_close(
        request, chosen, form, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    )


def _ask_to_close(
    request: AuthenticatedRequest, chosen: Round, form: CloseRoundForm, *, status: HTTPStatus
) -> HttpResponse:
    waiting = chosen.members.counted().filter(current=None).count()
    text = ngettext(
        "%(number)s device was not inspected. It stays so in the reports of this round.",
        "%(number)s devices were not inspected. They stay so in the reports of this round.",
        waiting,
    )
    values = {
        "nav_item": "inspections",
        "chosen": chosen,
        "form": form,
        "waiting": text % {"number": f"{waiting:,}"} if waiting else "",
        "is_closed": status == HTTPStatus.CONFLICT,
    }
    return render(request, "inspections/round-close.html", values, status=status)


@require_safe
@never_cache
@sign_in_required
def inspection(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """What was found, with the alert and the decision that follow from it."""
    rows = Inspection.objects.select_related("terminal__site", "round", "by", "alert")
    found = get_object_or_404(access.visible(rows, to=request.user), pk=pk)
    terminal = found.terminal
    undecided = access.visible(UnexpectedDevice.objects.undecided(), to=request.user)
    others = access.visible(Inspection.objects.filter(terminal=terminal).exclude(pk=pk), to=request.user)
    values = {
        "nav_item": "inspections",
        "found": found,
        "terminal": terminal,
        "others": others.select_related("by", "round")[:MAX_ROUNDS],
        "undecided": undecided.filter(terminal=terminal, serial=found.seen_serial).first()
        if found.result == InspectionResult.SERIAL_DIFFERS
        else None,
        "may_correct": found.superseded_at is None
        and found.round.closed_at is None
        and access.may(request.user, Permission.INSPECT_TERMINALS, terminal),
        "may_manage": access.may(request.user, Permission.MANAGE_TERMINALS, terminal),
    }
    return render(request, "inspections/inspection.html", values)


@require_safe
@sign_in_required
def photo(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The photo of an inspection, for people who see the terminal. A browser shows it, and runs nothing in it."""
    found = get_object_or_404(access.visible(Inspection.objects.exclude(photo=""), to=request.user), pk=pk)
    kind = str(found.photo.name).rpartition(".")[2]
    try:
        with found.photo.open("rb") as file:
            body = file.read()
    except FileNotFoundError:
        raise Http404 from None
    headers = {
        "Content-Disposition": f'inline; filename="inspection-{pk}.{kind}"',
        "Cache-Control": "private, max-age=86400, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return HttpResponse(body, content_type=CONTENT_TYPES.get(kind, "application/octet-stream"), headers=headers)


def find_round(request: AuthenticatedRequest, pk: int) -> Round:
    """A round that the person sees, otherwise 404."""
    return get_object_or_404(access.visible(Round.objects.all(), to=request.user), pk=pk)


def asked_round(request: AuthenticatedRequest) -> Round | None:
    """The round that the address names as `round`; None without it."""
    asked = request.GET.get("round", "")
    if not asked:
        return None
    if not is_key(asked):
        raise Http404
    return find_round(request, int(asked))
