"""Base classes and types of request and response bodies."""

import re
from datetime import UTC, datetime, time
from typing import Annotated, Any

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model
from pydantic.fields import FieldInfo

BEGIN, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _in_range(at: datetime) -> datetime:
    if not BEGIN <= at < END:
        raise ValueError("must be between 2000 and 2100")
    return at


OF_NO_ZONE = "omit the offset; the time is in `time_zone`"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
TIME_OF_DAY = re.compile(CLOCK)


def _wall_time(value: object) -> Any:
    """Accept only text or a time. Without this, pydantic would accept a number as seconds since midnight."""
    if isinstance(value, time) or (isinstance(value, str) and TIME_OF_DAY.fullmatch(value)):
        return value
    if isinstance(value, str) and TIME_OF_DAY.match(value):
        raise ValueError(OF_NO_ZONE)
    raise ValueError("must be a time of day such as 09:00 or 09:00:30")


type Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
type Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""An instant with its offset from UTC."""
type LocalTime = Annotated[
    time,
    BeforeValidator(_wall_time),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{CLOCK}$",
            "description": "A time of day in `time_zone`, without an offset.",
            "examples": ["09:00", "22:30:00"],
        }
    ),
]
"""Local time in the `time_zone` beside it. Format `time` of JSON Schema would need an offset."""
type Weekday = Annotated[int, Field(ge=0, le=6)]
"""A day of the week; 0 is Monday."""


class RequestSchema(Schema):
    """Base of requests. Unknown fields are rejected, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ResponseSchema(Schema):
    """Base of responses. Fields may be added: ignore unknown ones."""


class FaultSchema(ResponseSchema):
    where: str = Field(examples=["$.until"])
    detail: str


class ProblemSchema(ResponseSchema):
    """A problem document (RFC 9457)."""

    type: str = Field(examples=["tms:bad-request"])
    status: int
    detail: str
    where: str | None = None
    errors: list[FaultSchema] | None = None


def change_of(fields: type[Schema], name: str) -> Any:
    """A body with the same fields, all optional; `model_dump(exclude_unset=True)` has the given ones."""
    unnamed: dict[str, Any] = {
        name: (_with_limits(field), Field(default_factory=str)) for name, field in fields.model_fields.items()
    }
    return create_model(name, __base__=RequestSchema, **unnamed)


def _with_limits(field: FieldInfo) -> Any:
    """The type of a field with its limits, which are no part of the annotation."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
