"""The list of jobs: what is in progress, what is scheduled, and each run that has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.commands import catalogue
from tms.jobs.models import OPEN, Item, ItemState, Job, JobHours, JobRun, JobState
from tms.jobs.models.job import JobQuerySet
from tms.jobs.pages.progress import RunProgress, progress_of_runs
from tms.jobs.reasons import ENDINGS
from tms.lib.calendar.durations import spell
from tms.lib.calendar.repetition import repetition_text
from tms.protocol.text import clean

A_PAGE = 20
MAX_PAGES, MAX_WORDS = 1_000, 64
SHOWS = ("running", "paused", "scheduled", "finished", "failures", "mine")
GROUPS = {"progress": _("In progress"), "scheduled": _("Scheduled"), "finished": _("Finished")}
PARTS: Mapping[str, Sequence[str]] = {
    "running": ("progress",),
    "paused": ("progress", "scheduled"),
    "scheduled": ("scheduled",),
    "finished": ("finished",),
}
"""The groups that each filter can have rows in; all for the others."""


class JobListQuery(NamedTuple):
    """What the address asks for. Words that mean nothing are ignored."""

    show: str = ""
    words: str = ""
    page: int = 0

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        show, page = values.get("show", ""), values.get("page", "")
        return cls(
            show if show in SHOWS else "",
            clean(values.get("q", ""))[:MAX_WORDS].strip(),
            min(int(page), MAX_PAGES) if page.isascii() and page.isdigit() and len(page) < 6 else 0,
        )

    def address(self, **other: str | int) -> str:
        values: dict[str, str | int] = {"show": self.show, "q": self.words, "page": self.page, **other}
        return f"?{urlencode({name: value for name, value in values.items() if value})}"

    def apply(self, jobs: JobQuerySet, person: User) -> JobQuerySet:
        if self.words:
            jobs = jobs.filter(_like(self.words))
        match self.show:
            case "mine":
                return jobs.filter(started_by=person)
            case "running":
                return jobs.filter(state=JobState.ACTIVE)
            case "paused":
                return jobs.filter(state=JobState.PAUSED)
        return jobs


@dataclass(frozen=True, slots=True)
class JobRow:
    job: Job
    group: str
    run: JobRun | None
    """The one that is going, or has ended; of a scheduled job the last one."""
    progress: RunProgress
    state: str
    """The name of an icon and a style: running, paused, scheduled, finished, expired, stopped or cancelled."""
    command: str | Promise
    by: Name | None
    left: str = ""
    """How long it takes still, in words; empty if that is not known."""

    @property
    def address(self) -> str:
        of_run = f"?run={self.run.pk}" if self.run and self.group == "finished" else ""
        return f"{self.job.get_absolute_url()}{of_run}"

    @property
    def state_label(self) -> str:
        return STATE_LABELS[self.state]()

    @property
    def rhythm(self) -> str:
        """When it starts, in words."""
        return _rhythm(self.job)

    @property
    def hours(self) -> str | Promise:
        return "" if self.job.hours == JobHours.ANY else JobHours(self.job.hours).label

    @property
    def took(self) -> str:
        if self.run is None or self.run.ended_at is None:
            return ""
        return spell((self.run.ended_at - self.run.started_at).total_seconds())

    @property
    def ending(self) -> str | Promise:
        """Why it ended early, or paused."""
        if self.state in {"stopped", "paused"}:
            return ENDINGS.get(self.job.reason, "")
        return ENDINGS.get(self.run.reason, "") if self.run else ""


STATE_LABELS = {
    "running": lambda: pgettext("state of a job", "Running"),
    "paused": lambda: pgettext("state of a job", "Paused"),
    "scheduled": lambda: pgettext("state of a job", "Scheduled"),
    "finished": lambda: pgettext("state of a job", "Finished"),
    "expired": lambda: pgettext("state of a job", "Expired"),
    "stopped": lambda: pgettext("state of a job", "Stopped"),
    "cancelled": lambda: pgettext("state of a job", "Cancelled"),
}
ICONS = {
    "running": "play",
    "paused": "pause",
    "scheduled": "calendar",
    "finished": "check",
    "expired": "clock",
    "stopped": "critical",
    "cancelled": "close",
}


def state_of(job: Job, run: JobRun | None, progress: RunProgress, *, is_last: bool = True) -> str:
    """The state of a run of a job, or of a job without one. `is_last`: whether it is the job's last run."""
    if run is not None and run.ended_at is None and job.state in OPEN:
        return "paused" if job.state == JobState.PAUSED else "running"
    if is_last and job.state == JobState.STOPPED:
        return "stopped"
    if is_last and job.state == JobState.CANCELLED:
        return "cancelled"
    if run is None:
        return "paused" if job.state == JobState.PAUSED else "scheduled" if job.state in OPEN else "finished"
    return "expired" if progress[ItemState.EXPIRED] else "finished"


class JobList(NamedTuple):
    rows: list[JobRow]
    has_next: bool


class JobLister:
    """The rows of the list for one person."""

    def __init__(self, person: User, query: JobListQuery, at: datetime) -> None:
        self.person, self.query, self.at = person, query, at
        self._specs = {spec.name: spec.label for spec in catalogue.everything()}
        self._jobs = Job.objects.of(person).select_related("started_by")

    def rows(self) -> JobList:
        """Everything that is open, then a page of what has ended. Later pages have only the latter."""
        wanted = PARTS.get(self.query.show, tuple(GROUPS))
        chosen = self.query.apply(self._jobs, self.person)
        found: list[JobRow] = []
        if not self.query.page:
            if "progress" in wanted:
                found += self._in_progress(chosen)
            if "scheduled" in wanted and self.query.show != "failures":
                found += self._scheduled(chosen)
        ended, has_next = self._ended(chosen) if "finished" in wanted else ([], False)
        return JobList(found + ended, has_next)

    def chips(self) -> list[tuple[str, str, int]]:
        """Filters: value, label and number."""
        going, is_open = self._jobs.filter(_going()), self._jobs.open()
        numbers = {
            "running": going.filter(state=JobState.ACTIVE).count(),
            "paused": self._jobs.filter(state=JobState.PAUSED).count(),
            "scheduled": is_open.exclude(_going()).count(),
            "finished": ended_runs(self._jobs).count(),
            "failures": JobRun.objects.filter(job__in=self._jobs.order_by().values("pk"))
            .filter(_failing("pk"))
            .count(),
            "mine": self._jobs.filter(started_by=self.person).count(),
        }
        labels = (
            pgettext("state of a job", "Running"),
            pgettext("state of a job", "Paused"),
            pgettext("state of a job", "Scheduled"),
            pgettext("state of a job", "Finished"),
            gettext("Failures"),
            pgettext("jobs", "Mine"),
        )
        return [(show, label, numbers[show]) for show, label in zip(SHOWS, labels, strict=True)]

    def _in_progress(self, chosen: JobQuerySet) -> list[JobRow]:
        jobs = list(chosen.open().filter(_going()))
        going = JobRun.objects.going().filter(job__in=[job.pk for job in jobs])
        if self.query.show == "failures":
            going = going.filter(_failing("pk"))
        runs = {run.job_id: run for run in going}
        return self._made("progress", [(job, runs[job.pk]) for job in jobs if job.pk in runs])

    def _scheduled(self, chosen: JobQuerySet) -> list[JobRow]:
        jobs = list(chosen.open().exclude(_going()).order_by(F("occurs_at").asc(nulls_last=True), "pk"))
        last = JobRun.objects.filter(job=OuterRef("job")).order_by("-pk").values("pk")[:1]
        runs = JobRun.objects.filter(job__in=[job.pk for job in jobs], pk=last)
        by_job = {run.job_id: run for run in runs}
        return self._made("scheduled", [(job, by_job.get(job.pk)) for job in jobs])

    def _ended(self, chosen: JobQuerySet) -> tuple[list[JobRow], bool]:
        rows = ended_runs(chosen)
        if self.query.show == "failures":
            rows = rows.filter(_failing("run_pk"))
        begin = self.query.page * A_PAGE
        found = list(rows.order_by("-over_at", "-pk", "-run_pk")[begin : begin + A_PAGE + 1])
        runs = JobRun.objects.in_bulk([job.run_pk for job in found if job.run_pk])
        shown = [(job, runs.get(job.run_pk)) for job in found[:A_PAGE]]
        return self._made("finished", shown), len(found) > A_PAGE

    def _made(self, group: str, rows: Sequence[tuple[Job, JobRun | None]]) -> list[JobRow]:
        progress = progress_of_runs([run.pk for _, run in rows if run], to=self.person)
        return [self._row(group, job, run, progress) for job, run in rows]

    def _row(self, group: str, job: Job, run: JobRun | None, progress: Mapping[int, RunProgress]) -> JobRow:
        found = progress[run.pk] if run else RunProgress.of(None)
        state = state_of(job, None if group == "scheduled" else run, found, is_last=_is_last(job, run))
        left = found.left_s(run.started_at, self.at) if run and state == "running" else None
        return JobRow(
            job,
            group,
            run,
            found,
            state,
            self._specs.get(job.command, job.command),
            name_of(job.started_by) if job.started_by else None,
            spell(left) if left is not None else "",
        )


def ended_runs(jobs: JobQuerySet) -> QuerySet[Any]:
    """A row for each run that has ended or whose job has, and one for a job that ended without one; with `run_pk` and
    `over_at`.
    """
    rows = jobs.annotate(run_pk=F("runs"), run_ended=F("runs__ended_at"), last_run=_last_run())
    over = rows.filter(Q(run_ended__isnull=False) | ~Q(state__in=OPEN))
    return over.annotate(over_at=Coalesce("run_ended", "runs__started_at", "created_at"))


def _last_run() -> Combinable:
    """Whether no later run of the job exists."""
    return ~Exists(JobRun.objects.filter(job=OuterRef("pk"), pk__gt=OuterRef("run_pk")))


def _is_last(job: Job, run: JobRun | None) -> bool:
    return run is None or bool(getattr(job, "last_run", True))


def _going() -> Q:
    return Q(pk__in=JobRun.objects.going().order_by().values("job"))


def _failing(run: str) -> Exists:
    return Exists(Item.objects.filter(run=OuterRef(run), state=ItemState.FAILED))


def _like(text: str) -> Q:
    fields = ("name", "command", "started_by__username", "started_by__first_name", "started_by__last_name")
    found = Q()
    for field in fields:
        found |= Q(**{f"{field}__icontains": text})
    labels = [spec.name for spec in catalogue.everything() if text.casefold() in str(spec.label).casefold()]
    return found | Q(command__in=labels)


def _rhythm(job: Job) -> str:
    if job.rrule and job.starts_at:
        zone = job.occurs_at.astimezone(ZoneInfo(job.time_zone)).tzname() if job.occurs_at else job.time_zone
        values = {"repeats": repetition_text(job.rrule), "time": f"{job.starts_at:%H:%M} {zone}"}
        return gettext("%(repeats)s at %(time)s") % values
    return pgettext("start of a job", "Once")
