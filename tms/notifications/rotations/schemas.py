from datetime import date, datetime
from typing import Any, Self

from ninja import Schema
from pydantic import Field

from tms.notifications.models import rotation as models
from tms.notifications.rotations.forms import MOST_MEMBERS
from tms.notifications.weekly_hours import Weekday
from tms.rest.schemas import Instant, RequestSchema, ResponseSchema, WallTime, change_of

COPIED = ("name", "time_zone", "starts_on", "handover_at", "every_days", "weekdays")


class OnCallShift(ResponseSchema):
    person: str | None = Field(description="A username; null: nobody is on call.")
    since: datetime | None = Field(description="Null: before the rotation starts.")
    until: datetime
    is_cover: bool = Field(description="This person covers for the one whose shift it is.")


class CoverBody(RequestSchema):
    person: str = Field(max_length=150, description="A username.")
    since: Instant
    until: Instant


class Cover(ResponseSchema):
    id: int
    person: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, made: models.Cover) -> Self:
        return cls(id=made.pk, person=made.person.username, since=made.since, until=made.until)


class RotationFields(Schema):
    name: str = Field(examples=["NOC"])
    time_zone: str = Field("Asia/Tokyo", description="Handovers are times on its clocks.")
    starts_on: date = Field(description="The first day of the first member's first shift.")
    handover_at: WallTime = Field(examples=["09:00"])
    every_days: int = Field(7, description="Length of a shift.")
    weekdays: list[Weekday] = Field(
        [], description="Of handovers, 0 is Monday; if there are any, `every_days` is ignored."
    )
    members: list[str] = Field(
        min_length=1, max_length=MOST_MEMBERS, description="Usernames, in the order of their shifts."
    )


class RotationBody(RotationFields, RequestSchema):
    """A whole rotation."""


RotationChange: Any = change_of(RotationFields, "RotationChange")


class Rotation(RotationFields, ResponseSchema):
    id: int
    members: list[str] = Field(description="Usernames, in the order of their shifts.")
    on_call: OnCallShift = Field(description="Now.")


class RotationInFull(Rotation):
    covers: list[Cover] = Field(description="Those that have not ended.")


class ShiftFilter(RequestSchema):
    days: int = Field(28, ge=1, le=366, description="How far to look ahead.")


class OnCallShifts(ResponseSchema):
    shifts: list[OnCallShift]


def fields_of(rotation: models.Rotation) -> dict[str, Any]:
    """Without its members."""
    return {name: getattr(rotation, name) for name in COPIED}
