"""The pages of rotations and overrides."""

from collections.abc import Collection
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, needs_to_post, sign_in_required
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.lib.calendar.dates import shown_days
from tms.lib.calendar.local_time import local_time
from tms.lib.forms.bases import BaseFormSet
from tms.lib.forms.checks import is_check, render_errors
from tms.lib.forms.saved import redirect_saved
from tms.notifications import undo
from tms.notifications.models.rotation import Cover, Rotation
from tms.notifications.rotations import on_call, services
from tms.notifications.rotations.forms import (
    BaseMemberForms,
    CoverForm,
    MemberForm,
    MemberForms,
    RotationForm,
    initial_rotation,
)
from tms.notifications.rotations.on_call import destinations_of, rosters
from tms.notifications.rotations.roster import OnCallShift
from tms.notifications.rotations.services import members_of
from tms.notifications.rotations.shift_calendar import DAYS, shift_calendar
from tms.notifications.soft_delete.views import undoable

PREVIEW = timedelta(weeks=4)


class ShiftRow(NamedTuple):
    """An on-call shift for people."""

    person: Name | None
    since: datetime
    until: datetime
    is_cover: bool
    is_reachable: bool
    """The person has a destination of their own."""


@require_safe
@never_cache
@sign_in_required
def rotations(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_ROTATIONS)
def new_rotation(request: AuthenticatedRequest) -> HttpResponse:
    return _edit(request, initial_rotation(timezone.localtime()))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs_to_post(Permission.EDIT_ROTATIONS)
def rotation(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    needed = Permission.EDIT_ROTATIONS if request.method == "POST" else None
    return _edit(request, _find(request, pk, needed))


@require_POST
@needs(Permission.OVERRIDE_SHIFTS)
def new_cover(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Its own permission: shifts are swapped at night, by people who may not change the rotation."""
    chosen = _find(request, pk, Permission.OVERRIDE_SHIFTS)
    form = CoverForm(chosen, request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, chosen, cover=form)
    form.save(by=request.user)
    return redirect(chosen)


@require_POST
@needs(Permission.OVERRIDE_SHIFTS)
def delete_cover(request: AuthenticatedRequest, pk: int, cover: int) -> HttpResponse:
    chosen = _find(request, pk, Permission.OVERRIDE_SHIFTS)
    before = chosen.covers.filter(pk=cover).first()
    if before is not None and on_call.delete_cover(chosen, cover):
        undo.add_toast(request, before)
    return redirect(chosen)


def _find(request: AuthenticatedRequest, pk: int, needed: Permission | None) -> Rotation:
    found = get_object_or_404(access.visible(Rotation.objects.not_deleted(), to=request.user), pk=pk)
    if needed is not None:
        access.demand(request.user, needed, found)
    return found


def _edit(request: AuthenticatedRequest, chosen: Rotation) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = RotationForm(sent, instance=chosen, by=request.user)
    members = _member_forms(request, chosen, sent)
    assert isinstance(members, BaseMemberForms)
    if is_check(request):
        return render_errors(request, form, members)
    if sent is None or not (form.is_valid() & members.is_valid()):
        return _page(request, chosen, form=form, members=members)
    services.save(chosen, members.people, by=request.user)
    return redirect_saved(request, chosen)


def _page(
    request: AuthenticatedRequest,
    chosen: Rotation | None,
    *,
    form: RotationForm | None = None,
    members: BaseFormSet[MemberForm] | None = None,
    cover: CoverForm | None = None,
) -> HttpResponse:
    at, zone = timezone.now(), ZoneInfo(timezone.get_current_timezone_name())
    days = shown_days(request.GET.get("from", ""), number=DAYS, today=local_time(at, zone).date())
    existing = list(access.visible(Rotation.objects.not_deleted(), to=request.user))
    now, coming = _shifts(existing, chosen, at)
    is_saved = chosen is not None and chosen.pk is not None
    context: dict[str, object] = {
        **undoable(request, "rotation"),
        "nav_item": "rotations",
        "calendar": shift_calendar(existing, first=days.first, zone=zone, at=at, me=request.user) if existing else None,
        "days": days,
        "rotations": [(one, now[one.pk]) for one in existing],
        "chosen": chosen,
        "coming": coming,
        "may_edit": access.may(request.user, Permission.EDIT_ROTATIONS, chosen if is_saved else None),
        "may_cover": access.may(request.user, Permission.OVERRIDE_SHIFTS, chosen if is_saved else None),
        "covers": _covers(chosen, at) if chosen and is_saved else [],
        "form": form or (RotationForm(instance=chosen, by=request.user) if chosen else None),
        "members": members or (_member_forms(request, chosen) if chosen else None),
        "cover": cover or (CoverForm(chosen, by=request.user) if chosen and is_saved else None),
    }
    is_invalid = request.method == "POST"
    return render(
        request,
        "notifications/rotations.html",
        context,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_invalid else HTTPStatus.OK,
    )


def _member_forms(
    request: AuthenticatedRequest, chosen: Rotation, sent: QueryDict | None = None
) -> BaseFormSet[MemberForm]:
    members = members_of(chosen)
    initial = [{"person": person} for person in members]
    return MemberForms(sent, initial=initial, prefix="members", form_kwargs={"by": request.user, "members": members})


def _covers(chosen: Rotation, at: datetime) -> list[tuple[Cover, Name]]:
    """Current and future overrides."""
    return [(cover, name_of(cover.person)) for cover in chosen.covers.filter(until__gt=at).select_related("person")]


def _shifts(
    existing: Collection[Rotation], chosen: Rotation | None, at: datetime
) -> tuple[dict[int, ShiftRow], list[ShiftRow]]:
    """Who is on call now in each rotation, and in the chosen one within the next weeks."""
    known = rosters(existing)
    now = {pk: roster.on_call(at) for pk, roster in known.items()}
    coming = list(known[chosen.pk].shifts(at, at + PREVIEW)) if chosen and chosen.pk else []
    people = User.objects.in_bulk({shift.person for shift in (*now.values(), *coming) if shift.person is not None})
    reachable = destinations_of(people).keys()

    def row(shift: OnCallShift) -> ShiftRow:
        person = people.get(shift.person) if shift.person is not None else None
        name = name_of(person) if person else None
        return ShiftRow(name, shift.since, shift.until, shift.is_cover, shift.person in reachable)

    return {pk: row(shift) for pk, shift in now.items()}, [row(shift) for shift in coming]
