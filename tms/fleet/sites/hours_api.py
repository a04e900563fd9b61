"""REST operations to read and change the opening hours of a site."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Annotated, Any, Self

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models as db
from django.utils import timezone
from ninja import Schema
from pydantic import ConfigDict, Field

from tms.accounts.access import demand
from tms.accounts.permissions import Permission
from tms.fleet import models
from tms.fleet.models import OnHolidays
from tms.fleet.models.opening_hours import HOLIDAY, OpeningHours, SpecialDay
from tms.fleet.sites.calendar import hours_of
from tms.fleet.sites.services import set_hours
from tms.rest_base.found_rows import find
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import LocalTime, ResponseSchema, change_of

router = ApiRouter("fleet")
EDITING = Access(Permission.EDIT_SITES)
MAX_SPANS, MAX_SPECIAL_DAYS = 100, 1_000


class OpenIntervalSchema(Schema):
    """If `closes_at` is not later than `opens_at`, it is on the next day; 00:00 to 00:00 is all day."""

    model_config = ConfigDict(extra="forbid")

    opens_at: LocalTime = Field(examples=["10:00"])
    closes_at: LocalTime = Field(examples=["20:00"])


class WeekIntervalSchema(OpenIntervalSchema):
    weekday: int = Field(ge=0, le=6, description="0 is Monday.")


class SpecialDaySchema(Schema):
    model_config = ConfigDict(extra="forbid")

    first_on: date
    last_on: date | None = Field(None, description="Null for a single day.")
    opens_at: LocalTime | None = Field(None, description="Null if closed.")
    closes_at: LocalTime | None = None
    note: str = ""


type WeekIntervals = Annotated[list[WeekIntervalSchema], Field(max_length=MAX_SPANS)]
type OpenIntervals = Annotated[list[OpenIntervalSchema], Field(max_length=MAX_SPANS)]
type SpecialDays = Annotated[list[SpecialDaySchema], Field(max_length=MAX_SPECIAL_DAYS)]


class SiteHoursFields(Schema):
    holiday_calendar: str = Field("JP", description="Country or region code; empty for none.", examples=["DE-BY"])
    on_holidays: OnHolidays = OnHolidays.AS_USUAL
    week: WeekIntervals = Field([], description="If all lists are empty, the site is always open.")
    holidays: OpenIntervals = Field([], description="Used if `on_holidays` is `other`.")
    special_days: SpecialDays = Field(
        [], description="Closing days and exceptional openings. They take precedence over `week` and `holidays`."
    )


SiteHoursChange: Any = change_of(SiteHoursFields, "SiteHoursChange")


class SiteHoursSchema(SiteHoursFields, ResponseSchema):
    time_zone: str = Field(description="Time zone of all times.")
    is_open: bool = Field(description="True if open now.")
    next_change: datetime | None = Field(description="Next opening or closing; null if none within a year.")

    @classmethod
    def of(cls, site: models.Site, *, at: datetime) -> Self:
        spans = list(site.opening_hours.all())
        hours = hours_of([site.pk])[site.pk]
        return cls(
            time_zone=site.time_zone,
            holiday_calendar=site.holiday_calendar,
            on_holidays=OnHolidays(site.on_holidays),
            week=[WeekIntervalSchema.from_orm(span) for span in spans if span.weekday != HOLIDAY],
            holidays=[OpenIntervalSchema.from_orm(span) for span in spans if span.weekday == HOLIDAY],
            special_days=[SpecialDaySchema.from_orm(day) for day in site.special_days.all()],
            is_open=hours.is_open(at),
            next_change=hours.next_change(at),
        )


@router.get("/sites/{code}/hours", summary="Read the opening hours of a site", response=SiteHoursSchema)
def read_hours(request: ApiRequest, code: str) -> SiteHoursSchema:
    return SiteHoursSchema.of(find(request, models.Site.objects.all(), code=code), at=timezone.now())


@router.patch(
    "/sites/{code}/hours", summary="Change the opening hours of a site", response=SiteHoursSchema, access=EDITING
)
def change_hours(request: ApiRequest, code: str, body: SiteHoursChange) -> SiteHoursSchema:
    """Omitted fields stay unchanged; lists are replaced as a whole. Applies to evaluations from now on."""
    site, at = find(request, models.Site.objects.all(), code=code), timezone.now()
    demand(request.person, Permission.EDIT_SITES, site)
    _save(site, SiteHoursSchema.of(site, at=at).model_dump() | body.model_dump(exclude_unset=True))
    return SiteHoursSchema.of(site, at=at)


def _save(site: models.Site, fields: dict[str, Any]) -> None:
    """Raises ProblemError with all that is wrong."""
    site.holiday_calendar, site.on_holidays = fields["holiday_calendar"], fields["on_holidays"]
    week = [OpeningHours(site=site, **span) for span in fields["week"]]
    holidays = [OpeningHours(site=site, weekday=HOLIDAY, **span) for span in fields["holidays"]]
    special_days = [SpecialDay(site=site, **day) for day in fields["special_days"]]
    faults = [
        *_faults(site, at="$"),
        *_twice(week, of="week"),
        *_twice(holidays, of="holidays"),
        *(
            fault
            for n, day in enumerate(special_days)
            for fault in _faults(day, at=f"$.special_days[{n}]", exclude=("site",))
        ),
    ]
    if faults:
        raise unreadable(*faults)
    set_hours(site, [*week, *holidays], special_days)


def _faults(row: db.Model, *, at: str, exclude: Iterable[str] = ()) -> Iterator[RequestFault]:
    try:
        row.full_clean(exclude=exclude)
    except ValidationError as error:
        for field, messages in error.message_dict.items():
            yield RequestFault(at if field == NON_FIELD_ERRORS else f"{at}.{field}", " ".join(messages))


def _twice(spans: Iterable[OpeningHours], *, of: str) -> Iterator[RequestFault]:
    """Two intervals of one day that begin at the same time."""
    seen: set[tuple[int, time]] = set()
    for number, span in enumerate(spans):
        begins = span.weekday, span.opens_at
        if begins in seen:
            yield RequestFault(f"$.{of}[{number}].opens_at", "another interval of this day opens at the same time")
        seen.add(begins)
