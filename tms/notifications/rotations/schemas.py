"""REST schemas of rotations, their shifts and their overrides."""

from datetime import date, datetime
from typing import Any, Self

from ninja import Schema
from pydantic import Field

from tms.fleet.owners import OwnerSchema, owner_fields
from tms.notifications.models import rotation as models
from tms.notifications.rotations.services import EDITED, MAX_MEMBERS
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import Instant, LocalTime, RequestSchema, ResponseSchema, Weekday, change_of


class OnCallShiftSchema(ResponseSchema):
    person: str | None = Field(description="Username; null if nobody is on call.")
    since: datetime | None = Field(description="Null before the rotation starts.")
    until: datetime
    is_cover: bool = Field(description="True for an override.")


class CoverBody(RequestSchema):
    person: str = Field(max_length=150, description="Username.")
    since: Instant
    until: Instant


class CoverSchema(ResponseSchema):
    id: int
    person: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, made: models.Cover) -> Self:
        return cls(id=made.pk, person=made.person.username, since=made.since, until=made.until)


class RotationFields(Schema):
    name: str = Field(examples=["NOC"])
    time_zone: str = Field("Asia/Tokyo", description="Time zone of handovers.")
    starts_on: date = Field(description="First day of the first member's first on-call shift.")
    handover_at: LocalTime = Field(examples=["09:00"])
    every_days: int = Field(7, description="Length of an on-call shift in days.")
    weekdays: list[Weekday] = Field([], description="Days of handover, 0 is Monday. If set, `every_days` is ignored.")
    members: list[str] = Field(min_length=1, max_length=MAX_MEMBERS, description="Usernames in on-call order.")
    owner: OwnerSchema = OwnerSchema()


class RotationBody(RotationFields, RequestSchema):
    """A whole rotation."""


RotationChange: Any = change_of(RotationFields, "RotationChange")


class RotationSchema(RotationFields, ResponseSchema):
    id: int
    members: list[str] = Field(description="Usernames in on-call order.")
    on_call: OnCallShiftSchema = Field(description="Current on-call shift.")


class RotationPageSchema(Page[RotationSchema]): ...


class RotationDetailSchema(RotationSchema):
    covers: list[CoverSchema] = Field(description="Current and future overrides.")


class ShiftQuery(RequestSchema):
    days: int = Field(28, ge=1, le=366, description="Days to look ahead.")


class OnCallShiftsSchema(ResponseSchema):
    shifts: list[OnCallShiftSchema]


def fields_of(rotation: models.Rotation) -> dict[str, Any]:
    """The fields of a rotation, without its members."""
    return {name: getattr(rotation, name) for name in EDITED} | {"owner": owner_fields(rotation)}
