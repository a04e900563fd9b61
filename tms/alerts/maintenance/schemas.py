"""REST schemas of maintenance windows."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import Model, QuerySet
from pydantic import AfterValidator, Field, NaiveDatetime, WithJsonSchema

from tms.accounts.access import Forbidden, permitted, visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.maintenance.services import WindowScope, length_error, scope_error
from tms.alerts.schemas import username
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import Recurrence
from tms.rest_base.pagination import Page
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import BEGIN, CLOCK, END, Instant, RequestSchema, ResponseSchema

MAX_TERMINALS = 5_000
CONFIRM = Field(None, description="Number of terminals, where `tms:confirmation-needed` asks for it.")


def _in_range(wall: datetime) -> datetime:
    if not BEGIN.replace(tzinfo=None) <= wall < END.replace(tzinfo=None):
        raise ValueError("must be between 2000 and 2100")
    return wall


type LocalDateTime = Annotated[
    NaiveDatetime,
    AfterValidator(_in_range),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^20[0-9]{{2}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{CLOCK}$",
            "description": "A date and time in `time_zone`, without an offset.",
            "examples": ["2026-11-29T02:00:00"],
        }
    ),
]
"""Local time of the zone, without an offset; format `date-time` of JSON Schema would need one."""


class WindowBody(RequestSchema):
    note: str = Field(min_length=1, max_length=200, description="Purpose.")
    sites: list[str] = Field([], max_length=1_000, description="Site codes.")
    groups: list[str] = Field([], max_length=1_000, description="Group names.")
    terminals: list[str] = Field([], max_length=MAX_TERMINALS, description="UIDs.")
    time_zone: str = Field(default_factory=lambda: settings.TIME_ZONE, examples=["Asia/Tokyo"])
    starts_at: LocalDateTime = Field(examples=["2026-11-29T02:00:00"])
    ends_at: LocalDateTime = Field(examples=["2026-11-29T04:00:00"])
    rrule: str = Field(
        "", max_length=200, examples=["FREQ=WEEKLY;BYDAY=SU"], description="Recurrence; empty for a single occurrence."
    )

    confirm: int | None = CONFIRM

    def recurrence(self) -> Recurrence:
        """Raises ProblemError."""
        if self.time_zone not in available_timezones():
            raise unreadable(RequestFault("$.time_zone", "unknown time zone; use an IANA name such as Asia/Tokyo"))
        length = self.ends_at - self.starts_at
        if error := length_error(length):
            raise unreadable(RequestFault("$.ends_at", error))
        # Times of maintenance are stored to the second.
        starts_at = self.starts_at.replace(microsecond=0)
        return Recurrence(
            ZoneInfo(self.time_zone), starts_at, timedelta(seconds=int(length.total_seconds())), self.rrule
        )

    def scope(self, person: User) -> WindowScope:
        """Raises ProblemError."""
        named = (
            (Site.objects.all(), "code", self.sites, "$.sites"),
            (Group.objects.all(), "name", self.groups, "$.groups"),
            (Terminal.objects.all(), "uid", self.terminals, "$.terminals"),
        )
        scope = WindowScope(*(_find(rows, name, wanted, where, by=person) for rows, name, wanted, where in named))
        if error := scope_error(scope):
            raise unreadable(RequestFault("$", error))
        return scope


class WindowExtensionBody(RequestSchema):
    until: Instant = Field(description="Within the next 31 days.")
    confirm: int | None = CONFIRM


class OccurrenceSchema(ResponseSchema):
    since: datetime
    until: datetime


class OccurrencesSchema(ResponseSchema):
    coming: list[OccurrenceSchema] = Field(description="The next occurrences, five at most.")


class WindowSchema(ResponseSchema):
    id: int
    note: str
    sites: list[str]
    groups: list[str]
    terminals: list[str]
    time_zone: str
    starts_at: LocalDateTime = Field(description="Start of the first occurrence.")
    length_s: int
    rrule: str
    occurs_at: datetime = Field(
        description="Start of the current or next occurrence; after the end of the window, of the last one."
    )
    occurs_until: datetime
    is_active: bool
    is_outgrown: bool = Field(
        description="Whether so many terminals joined its sites and groups that it covers only those of before."
    )
    ended_at: datetime | None = Field(description="Null while the window is active or still to come.")
    created_at: datetime
    created_by: str | None
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, window: models.Window) -> Self:
        copied = {name: getattr(window, name) for name in COPIED}
        return cls(
            sites=_names(window.sites.all(), "code"),
            groups=_names(window.groups.all(), "name"),
            terminals=_names(window.terminals.all(), "uid"),
            starts_at=datetime.combine(window.first_on, window.starts_at),
            created_by=username(window.created_by),
            changed_by=username(window.changed_by),
            id=window.pk,
            **copied,
        )


class WindowPageSchema(Page[WindowSchema]): ...


COPIED = (
    *(
        "note",
        "time_zone",
        "length_s",
        "rrule",
        "occurs_at",
        "occurs_until",
        "is_active",
        "is_outgrown",
        "ended_at",
        "created_at",
    ),
    "changed_at",
)


def _names(rows: Iterable[object], name: str) -> list[str]:
    return sorted(getattr(row, name) for row in rows)


def _find(rows: QuerySet[Model], name: str, wanted: Sequence[str], where: str, *, by: User) -> list[Any]:
    """Raises Forbidden for what the person sees, but may not plan maintenance for."""
    seen = visible(rows.filter(**{f"{name}__in": wanted}), to=by)
    found = list(permitted(seen, by=by, permission=Permission.PLAN_MAINTENANCE))
    if missing := set(wanted) - {getattr(row, name) for row in found}:
        unknown = sorted(missing - set(seen.values_list(name, flat=True)))
        if not unknown:
            raise Forbidden(Permission.PLAN_MAINTENANCE, is_elsewhere=True)
        raise unreadable(RequestFault(where, f"unknown: {', '.join(unknown[:5])}"))
    return found
