"""Who is on call: read, and covered. Rotations themselves are made on their page."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Self

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.fleet.hours import EVER
from tms.keyset import Column, Keyset
from tms.notifications import rotation as models
from tms.notifications.on_call import cover, rosters
from tms.notifications.turns import Roster
from tms.notifications.turns import Turn as Stretch
from tms.rest.door import Called
from tms.rest.pages import Page, Paging, listed
from tms.rest.problems import Fault, unreadable
from tms.rest.routes import CHANGING, Routes
from tms.rest.shapes import Asked, Instant, Told

routes = Routes("rotations")
BY_NAME = Keyset((Column("name"), Column("pk", int)))
LONGEST_COVER = timedelta(days=366)


class Turn(Told):
    person: str | None = Field(description="A username; null: nobody is on call.")
    since: datetime | None = Field(description="Null: before the rotation starts.")
    until: datetime
    is_cover: bool = Field(description="Somebody covers, whoever's turn it is.")


class CoverBody(Asked):
    person: str = Field(max_length=150, description="A username.")
    since: Instant
    until: Instant


class Cover(Told):
    id: int
    person: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, made: models.Cover) -> Self:
        return cls(id=made.pk, person=made.person.username, since=made.since, until=made.until)


class Rotation(Told):
    id: int
    name: str
    time_zone: str
    starts_on: date
    handover_at: time
    every_days: int
    weekdays: list[int] = Field(
        description="Of handovers, 0 is Monday; if there are any, `every_days` counts for nothing."
    )
    members: list[str] = Field(description="Usernames, in the order of their turns.")
    on_call: Turn = Field(description="Now.")


class RotationInFull(Rotation):
    covers: list[Cover] = Field(description="Those that are not over.")


class TurnFilter(Asked):
    days: int = Field(28, ge=1, le=366, description="How far to look ahead.")


class Turns(Told):
    turns: list[Turn]


@routes.look("/rotations", summary="List rotations", answer=Page[Rotation])
def list_rotations(request: Called, response: HttpResponse, asked: Query[Paging]) -> Page[Rotation]:
    found = listed(request, response, _rotations(request), asked, order=BY_NAME)
    return Page(items=_told(found.rows, at=timezone.now()), next=found.next)


@routes.look("/rotations/{int:pk}", summary="Read a rotation", answer=RotationInFull)
def read_rotation(request: Called, pk: int) -> RotationInFull:
    chosen, at = _rotation(request, pk), timezone.now()
    covers = chosen.covers.filter(until__gt=at).select_related("person")
    [told] = _told([chosen], at=at)
    return RotationInFull(**dict(told), covers=[Cover.of(one) for one in covers])


@routes.look("/rotations/{int:pk}/turns", summary="Tell who is on call when", answer=Turns)
def list_turns(request: Called, pk: int, asked: Query[TurnFilter]) -> Turns:
    """From now on, one after the other without a gap."""
    chosen, at = _rotation(request, pk), timezone.now()
    stretches = list(rosters([chosen])[chosen.pk].turns(at, at + timedelta(days=asked.days)))
    names = _names(stretches)
    return Turns(turns=[_turn(stretch, names) for stretch in stretches])


@routes.act("/rotations/{int:pk}/covers", summary="Cover for somebody", answer=Cover, status=201)
def make_cover(request: Called, pk: int, body: CoverBody) -> Cover:
    """Whoever may act may cover: shifts are swapped at night, too."""
    chosen = _rotation(request, pk)
    person = User.objects.filter(username=body.person, is_active=True).first()
    if person is None:
        raise unreadable(Fault("$.person", "there is no person of this name who may sign in"))
    if not timedelta(0) < body.until - body.since <= LONGEST_COVER:
        raise unreadable(Fault("$.until", "it lies after `since`, by a year at most"))
    return Cover.of(cover(chosen, person, since=body.since, until=body.until, by=request.person))


@routes.act(
    "/rotations/{int:pk}/covers/{int:cover}",
    method="DELETE",
    summary="Take a cover back",
    answer=None,
    status=204,
    right=CHANGING,
)
def delete_cover(request: Called, pk: int, cover: int) -> None:
    deleted, _ = models.Cover.objects.filter(pk=cover, rotation=_rotation(request, pk)).delete()
    if not deleted:
        raise Http404


def _told(rotations: Collection[models.Rotation], *, at: datetime) -> list[Rotation]:
    known: dict[int, Roster] = rosters(rotations)
    now = {pk: roster.on_call(at) for pk, roster in known.items()}
    names = _names(now.values())
    return [
        Rotation(
            id=one.pk,
            name=one.name,
            time_zone=one.time_zone,
            starts_on=one.starts_on,
            handover_at=one.handover_at,
            every_days=one.every_days,
            weekdays=one.weekdays,
            members=[member.person.username for member in one.members.all()],
            on_call=_turn(now[one.pk], names),
        )
        for one in rotations
    ]


def _names(stretches: Iterable[Stretch]) -> dict[int, str]:
    people = {stretch.person for stretch in stretches if stretch.person is not None}
    return dict(User.objects.filter(pk__in=people).values_list("pk", "username"))


def _turn(stretch: Stretch, names: dict[int, str]) -> Turn:
    person = None if stretch.person is None else names.get(stretch.person)
    since = None if stretch.since == EVER else stretch.since
    return Turn(person=person, since=since, until=stretch.until, is_cover=stretch.is_cover)


def _rotations(request: Called) -> QuerySet[models.Rotation]:
    return visible(models.Rotation.objects.kept().prefetch_related("members__person"), to=request.person)


def _rotation(request: Called, pk: int) -> models.Rotation:
    found = _rotations(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
