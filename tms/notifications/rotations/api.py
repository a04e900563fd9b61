"""REST operations for rotations and covers."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts import access
from tms.accounts.access.owner_form import set_owner
from tms.accounts.display_names import colleagues
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.fleet.owners import owner_name
from tms.lib.calendar.opening_hours import EVER
from tms.lib.pagination import Column, Keyset
from tms.notifications.models import rotation as models
from tms.notifications.rotations import on_call, roster, services
from tms.notifications.rotations.on_call import cover, rosters
from tms.notifications.rotations.schemas import (
    CoverBody,
    CoverSchema,
    OnCallShiftSchema,
    OnCallShiftsSchema,
    RotationBody,
    RotationChange,
    RotationDetailSchema,
    RotationPageSchema,
    RotationSchema,
    ShiftQuery,
    fields_of,
)
from tms.notifications.soft_delete.services import delete
from tms.rest_base.body_values import BodyValues
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter

router = ApiRouter("rotations")
BY_NAME = Keyset((Column("name"), Column("pk", int)))
MAX_COVER = timedelta(days=366)
MAKING = Access(Permission.EDIT_ROTATIONS, is_idempotent=True)
SETTING_UP = Access(Permission.EDIT_ROTATIONS)
COVERING = Access(Permission.OVERRIDE_SHIFTS, is_idempotent=True)
UNCOVERING = Access(Permission.OVERRIDE_SHIFTS)


@router.get("/rotations", summary="List rotations", response=RotationPageSchema)
def list_rotations(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> RotationPageSchema:
    found = paginate(request, response, _rotations(request), query, order=BY_NAME)
    return RotationPageSchema(items=_rows(found.rows, at=timezone.now()), next=found.next)


@router.get("/rotations/{int:pk}", summary="Read a rotation", response=RotationDetailSchema)
def read_rotation(request: ApiRequest, pk: int) -> RotationDetailSchema:
    return _in_full(request, pk)


@router.post("/rotations", summary="Create a rotation", response=RotationDetailSchema, status=201, access=MAKING)
def make_rotation(request: ApiRequest, response: HttpResponse, body: RotationBody) -> RotationDetailSchema:
    made = models.Rotation()
    _save(request, made, body.model_dump())
    response["Location"] = f"{request.path}/{made.pk}"
    return _in_full(request, made.pk)


@router.patch(
    "/rotations/{int:pk}",
    summary="Change fields of a rotation",
    response=RotationDetailSchema,
    access=SETTING_UP,
)
def change_rotation(request: ApiRequest, pk: int, body: RotationChange) -> RotationDetailSchema:
    """Omitted fields stay unchanged. `members` is replaced as a whole; overrides stay."""
    _save(request, _editable(request, pk), body.model_dump(exclude_unset=True))
    return _in_full(request, pk)


@router.delete("/rotations/{int:pk}", summary="Delete a rotation", response=None, status=204, access=SETTING_UP)
def delete_rotation(request: ApiRequest, pk: int) -> None:
    """Escalation steps that name it skip it."""
    delete(_editable(request, pk), at=timezone.now())


@router.get("/rotations/{int:pk}/shifts", summary="List on-call shifts", response=OnCallShiftsSchema)
def list_on_call_shifts(request: ApiRequest, pk: int, query: Query[ShiftQuery]) -> OnCallShiftsSchema:
    """On-call shifts from now on, consecutive and without gaps."""
    chosen, at = _rotation(request, pk), timezone.now()
    shifts = list(rosters([chosen])[chosen.pk].shifts(at, at + timedelta(days=query.days)))
    names = _names(shifts)
    return OnCallShiftsSchema(shifts=[_shift(shift, names) for shift in shifts])


@router.post("/rotations/{int:pk}/covers", summary="Add an override", response=CoverSchema, status=201, access=COVERING)
def make_cover(request: ApiRequest, pk: int, body: CoverBody) -> CoverSchema:
    """Needs no permission to edit rotations: shifts are swapped at night, too."""
    chosen = _editable(request, pk, Permission.OVERRIDE_SHIFTS)
    named = colleagues().filter(username=body.person)
    person = access.visible(named, to=request.person).first()
    if person is None:
        raise unreadable(RequestFault("$.person", "no active person has this username"))
    if not timedelta(0) < body.until - body.since <= MAX_COVER:
        raise unreadable(RequestFault("$.until", "must be after `since`, by a year at most"))
    return CoverSchema.of(cover(chosen, person, since=body.since, until=body.until, by=request.person))


@router.delete(
    "/rotations/{int:pk}/covers/{int:cover}",
    summary="Delete an override",
    response=None,
    status=204,
    access=UNCOVERING,
)
def delete_cover(request: ApiRequest, pk: int, cover: int) -> None:
    if not on_call.delete_cover(_editable(request, pk, Permission.OVERRIDE_SHIFTS), cover):
        raise Http404


def _save(request: ApiRequest, rotation: models.Rotation, fields: Mapping[str, Any]) -> None:
    """Save a rotation; its members stay if there are no `members`. Raises ProblemError."""
    by, found, members = request.person, BodyValues(), None
    whole = {**fields_of(rotation), **fields}
    if "members" in fields:
        people = access.choosable(colleagues(), services.members_of(rotation), to=by)
        named = {one.username: one for one in found.rows(people, "username", fields["members"], "$.members")}
        members = [named[name] for name in fields["members"] if name in named]
    for name in services.EDITED:
        setattr(rotation, name, whole[name])
    set_owner(rotation, owner_name(whole["owner"], to=by))
    with found.reported():
        services.save(rotation, members, by=by)


def _in_full(request: ApiRequest, pk: int) -> RotationDetailSchema:
    chosen, at = _rotation(request, pk), timezone.now()
    covers = chosen.covers.filter(until__gt=at).select_related("person")
    [row] = _rows([chosen], at=at)
    return RotationDetailSchema(**dict(row), covers=[CoverSchema.of(one) for one in covers])


def _rows(rotations: Collection[models.Rotation], *, at: datetime) -> list[RotationSchema]:
    now = {pk: each.on_call(at) for pk, each in rosters(rotations).items()}
    names = _names(now.values())
    return [
        RotationSchema(
            **fields_of(one),
            id=one.pk,
            members=[member.person.username for member in one.members.all()],
            on_call=_shift(now[one.pk], names),
        )
        for one in rotations
    ]


def _names(shifts: Iterable[roster.OnCallShift]) -> dict[int, str]:
    people = {shift.person for shift in shifts if shift.person is not None}
    return dict(User.objects.filter(pk__in=people).values_list("pk", "username"))


def _shift(shift: roster.OnCallShift, names: dict[int, str]) -> OnCallShiftSchema:
    person = None if shift.person is None else names.get(shift.person)
    since = None if shift.since == EVER else shift.since
    return OnCallShiftSchema(person=person, since=since, until=shift.until, is_cover=shift.is_cover)


def _rotations(request: ApiRequest) -> QuerySet[models.Rotation]:
    rows = models.Rotation.objects.not_deleted().select_related("owner_site", "owner_group")
    return access.visible(rows.prefetch_related("members__person"), to=request.person)


def _editable(request: ApiRequest, pk: int, permission: Permission = Permission.EDIT_ROTATIONS) -> models.Rotation:
    found = _rotation(request, pk)
    access.demand(request.person, permission, found)
    return found


def _rotation(request: ApiRequest, pk: int) -> models.Rotation:
    found = _rotations(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
