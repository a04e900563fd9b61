"""REST bodies of rounds and inspections."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from ninja import Schema
from pydantic import Field

from tms.fleet.models import TerminalKind
from tms.fleet.owners import OwnerSchema, owner_fields
from tms.inspections.listing import RoundProgress
from tms.inspections.models import Inspection, InspectionResult, Surrounding
from tms.inspections.services import MAX_SEALS
from tms.rest_base.pagination import Page
from tms.rest_base.schemas import Id, Instant, RequestSchema, ResponseSchema


class RoundSchema(ResponseSchema):
    id: int
    name: str
    owner: OwnerSchema = Field(description="Where; all empty for everything.")
    kinds: list[TerminalKind] = Field(description="Empty for all kinds.")
    due_on: date
    every_days: int
    started_at: datetime
    closed_at: datetime | None
    total: int = Field(description="Its terminals that the caller sees, without those that were retired meanwhile.")
    inspected: int
    tampered: int

    @classmethod
    def of(cls, found: RoundProgress) -> Self:
        row = found.round
        own: dict[str, Any] = {name: getattr(row, name) for name in OF_ROUND}
        numbers: dict[str, Any] = {"total": found.total, "inspected": found.inspected, "tampered": found.tampered}
        return cls(id=row.pk, owner=OwnerSchema(**owner_fields(row)), **own, **numbers)


OF_ROUND = ("name", "kinds", "due_on", "every_days", "started_at", "closed_at")


class SealSchema(Schema):
    number: str = Field(min_length=1, max_length=40)
    where: str = Field("", max_length=80)
    intact: bool = True


class InspectionSchema(ResponseSchema):
    id: int
    round: int
    terminal: str = Field(description="UID")
    expected_serial: str
    seen_serial: str
    seals: list[SealSchema]
    surroundings: list[Surrounding]
    has_photo: bool
    note: str
    result: InspectionResult
    by: str | None
    at: datetime
    received_at: datetime
    alert: int | None = Field(description="The alert that it opened.")
    superseded_at: datetime | None = Field(description="When it was corrected.")

    @classmethod
    def of(cls, row: Inspection) -> Self:
        own: dict[str, Any] = {name: getattr(row, name) for name in OF_INSPECTION}
        return cls(
            id=row.pk,
            round=row.round_id,
            terminal=row.terminal.uid,
            has_photo=bool(row.photo),
            by=row.by.username if row.by else None,
            alert=row.alert_id,
            **own,
        )


OF_INSPECTION = (
    *("expected_serial", "seen_serial", "seals", "surroundings", "note", "result"),
    *("at", "received_at", "superseded_at"),
)


class InspectionBody(RequestSchema):
    terminal: str = Field(max_length=64, description="UID")
    result: InspectionResult
    seen_serial: str = Field("", max_length=64, description="The last 4 characters suffice if the device is in order.")
    seals: Annotated[list[SealSchema], Field(max_length=MAX_SEALS)] = []
    surroundings: Annotated[list[Surrounding], Field(max_length=len(Surrounding))] = []
    note: str = Field("", max_length=500)
    done_at: Instant | None = Field(None, description="Default: now.")
    corrects: Id | None = Field(None, description="The inspection of this round that it replaces.")


class RoundPageSchema(Page[RoundSchema]): ...


class InspectionPageSchema(Page[InspectionSchema]): ...
