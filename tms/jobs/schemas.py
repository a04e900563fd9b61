"""REST schemas of jobs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.maintenance.schemas import CONFIRM, LocalDateTime
from tms.alerts.schemas import username
from tms.fleet.models import Terminal
from tms.jobs.models import Item, ItemState, Job, JobHours, JobRun, JobState, RetryReason
from tms.jobs.services import MAX_CHOSEN, MAX_STOP_AFTER, JobValues, Retries, StopRule
from tms.lib.calendar.recurrence import BadRecurrence, Occurrence, Recurrence
from tms.rest_base.body_values import BodyValues
from tms.rest_base.pagination import Page
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema


class RetriesBody(RequestSchema):
    limit: int = Field(0, ge=0, le=5, description="How often a terminal is tried again.")
    after_s: int = Field(300, ge=10, le=86_400)
    reasons: list[RetryReason] = Field([], max_length=2, description="For nothing else it gets the command twice.")


class StopBody(RequestSchema):
    above_pct: int = Field(0, ge=0, lt=100, description="Share of failed items of a run; 0 for never.")
    after: int = Field(20, ge=1, le=MAX_STOP_AFTER, description="How many must be done or failed first.")


class JobBody(RequestSchema):
    name: str = Field(min_length=1, max_length=100, examples=["Nightly restart"])
    comment: str = Field("", max_length=500)
    command: str = Field(min_length=1, max_length=64, examples=["reboot"])
    args: dict[str, Any] = Field({}, description="As the command's schema says.")
    query: str = Field("", max_length=2_000, examples=["kind:kiosk site:SJK"], description="Evaluated by each run.")
    terminals: list[str] = Field([], max_length=MAX_CHOSEN, description="UIDs, instead of a query.")
    is_trial: bool = Field(False, description="Send to one terminal, then wait until it is resumed.")
    at_once: int = Field(40, ge=1, le=1_000)
    per_site: int = Field(0, ge=0, le=1_000, description="At once at a site; 0 for no limit.")
    hours: JobHours = JobHours.ANY
    answer_within_s: float | None = Field(None, ge=1, le=3_600, description="By default as the command says.")
    retries: RetriesBody = RetriesBody(limit=0, after_s=300, reasons=[])
    stop: StopBody = StopBody(above_pct=0, after=20)
    time_zone: str = Field(default_factory=lambda: settings.TIME_ZONE, examples=["Asia/Tokyo"])
    starts_at: LocalDateTime | None = Field(None, description="Null to start now.", examples=["2026-11-29T03:00:00"])
    ends_after_s: int = Field(86_400, ge=60, le=2_678_400, description="When a run ends, even if items still wait.")
    rrule: str = Field("", max_length=200, examples=["FREQ=DAILY"], description="Recurrence; needs `starts_at`.")

    confirm: int | None = CONFIRM

    def values(self, person: User, *, at: datetime) -> JobValues:
        """Raises ProblemError."""
        body = BodyValues()
        terminals = body.rows(visible(Terminal.objects.all(), to=person), "uid", self.terminals, "$.terminals")
        with body.reported():
            recurrence = self._recurrence()
        kept = (
            "name",
            "comment",
            "command",
            "args",
            "query",
            "is_trial",
            "at_once",
            "per_site",
            "hours",
            "answer_within_s",
        )
        return JobValues(
            **{name: getattr(self, name) for name in kept},
            terminals=terminals,
            retries=Retries(self.retries.limit, self.retries.after_s, self.retries.reasons),
            stop=StopRule(self.stop.above_pct, self.stop.after),
            first=self._first(recurrence, at),
            recurrence=recurrence,
        )

    def _recurrence(self) -> Recurrence | None:
        if self.time_zone not in available_timezones():
            raise unreadable(RequestFault("$.time_zone", "unknown time zone; use an IANA name such as Asia/Tokyo"))
        if self.starts_at is None:
            if self.rrule:
                raise unreadable(RequestFault("$.starts_at", "a recurring job needs its first start"))
            return None
        starts_at = self.starts_at.replace(microsecond=0)
        return Recurrence(ZoneInfo(self.time_zone), starts_at, timedelta(seconds=self.ends_after_s), self.rrule)

    def _first(self, recurrence: Recurrence | None, at: datetime) -> Occurrence:
        if recurrence is None:
            return Occurrence(at, at + timedelta(seconds=self.ends_after_s))
        try:
            first = next(recurrence.occurrences(at), None)
        except BadRecurrence as error:
            raise unreadable(RequestFault("$.rrule", str(error))) from None
        if first is None:
            raise unreadable(RequestFault("$.starts_at", "it would be over already; choose a later start"))
        return first


class RunSchema(ResponseSchema):
    id: int
    since: datetime = Field(description="The planned start.")
    until: datetime
    started_at: datetime
    ended_at: datetime | None
    reason: str = Field(description="Why it has no items: `query`, `group`, `too_many`, `grown`.")
    counts: dict[ItemState, int] = Field(description="How many items are in each state.")

    @classmethod
    def of(cls, run: JobRun, counts: Mapping[str, int]) -> Self:
        copied = {name: getattr(run, name) for name in ("id", "since", "until", "started_at", "ended_at", "reason")}
        return cls(counts={ItemState(state): number for state, number in counts.items()}, **copied)


class JobSchema(ResponseSchema):
    id: int
    name: str
    comment: str
    command: str
    args: dict[str, Any]
    query: str
    is_trial: bool
    at_once: int
    per_site: int
    hours: JobHours
    state: JobState
    reason: str = Field(description="Why TMS stopped it: `permission`, `command`, `failures`; or paused it: `trial`.")
    stop_above_pct: int
    stop_after: int
    rrule: str
    occurs_at: datetime | None = Field(description="The next start.")
    occurs_until: datetime | None
    created_at: datetime
    started_by: str | None
    runs: list[RunSchema] = Field(description="The latest, newest first; ten at most.")

    @classmethod
    def of(cls, job: Job, runs: list[RunSchema]) -> Self:
        copied = {name: getattr(job, name) for name in cls.model_fields if name not in {"runs", "started_by"}}
        return cls(**copied, started_by=username(job.started_by), runs=runs)


class JobPageSchema(Page[JobSchema]): ...


class ItemSchema(ResponseSchema):
    run: int
    terminal: str
    state: ItemState
    reason: str = Field(description="Why it waits, was skipped or failed, such as `last_lane` or `unsupported`.")
    attempts: int
    command: int | None = Field(description="The command that was sent last.")
    ended_at: datetime | None
    error: str

    @classmethod
    def of(cls, item: Item) -> Self:
        copied = {name: getattr(item, name) for name in ("state", "reason", "attempts", "ended_at", "error")}
        return cls(run=item.run_id, terminal=item.terminal.uid, command=item.command_id, **copied)


class ItemPageSchema(Page[ItemSchema]): ...
