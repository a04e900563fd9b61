"""Services for jobs: create, pause, resume, cancel."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext, ngettext

from tms.accounts.access import Forbidden, covers, demand, may, permitted, scope_of, visible
from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.commands import catalogue
from tms.commands import services as commands
from tms.commands.kinds import CommandSpec
from tms.commands.models import Danger
from tms.fleet.groups.uses import unknown_groups
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Terminal
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.jobs.models import OPEN, Item, ItemState, Job, JobEvent, JobEventKind, JobHours, JobRun, JobState, RetryReason
from tms.lib.calendar.recurrence import Occurrence, Recurrence
from tms.query.errors import QueryError
from tms.query.query import Query

MAX_OPEN_JOBS = 200
MAX_CHOSEN = 5_000
MAX_AT_ONCE = 1_000
MAX_LENGTH = timedelta(days=31)
MAX_RETRIES = 5
MAX_RETRY_AFTER_S = 86_400
MAX_STOP_AFTER = 10_000
TRIAL = "trial"
SENT_TWICE_WITHIN = timedelta(seconds=10)
NOT_ASKED = frozenset(("id", "first_number", "occurs_at", "occurs_until", "state", "reason", "created_at"))


class JobRefused(ValueError):
    """The job cannot be created; the message says what would be right, and `where` of what."""

    code = "tms:bad-job"

    def __init__(self, where: str, text: str) -> None:
        super().__init__(text)
        self.where = where


class JobOver(Exception):
    """The job has ended, so that it can be neither paused nor resumed."""

    code = "tms:job-over"


@dataclass(frozen=True, slots=True)
class Retries:
    limit: int = 0
    after_s: int = 300
    reasons: Collection[RetryReason] = ()


@dataclass(frozen=True, slots=True)
class StopRule:
    """Stops a job above a share of failures; 0 % for never."""

    above_pct: int = 0
    after: int = 20
    """How many items must be done or failed first."""


@dataclass(frozen=True, slots=True)
class JobValues:
    name: str
    command: str
    first: Occurrence
    """The first run. A recurring job has it of `recurrence`."""
    args: dict[str, Any] = field(default_factory=dict)
    comment: str = ""
    query: str = ""
    terminals: Sequence[Terminal] = ()
    """Instead of a query."""
    is_trial: bool = False
    at_once: int = 40
    per_site: int = 0
    hours: JobHours = JobHours.ANY
    answer_within_s: float | None = None
    retries: Retries = Retries()
    stop: StopRule = StopRule()
    recurrence: Recurrence | None = None


@transaction.atomic
def create_job(values: JobValues, *, by: User, at: datetime) -> Job:
    """The clock starts it.

    Returns the job that the person made a moment ago if it is the same: it was sent twice. Raises JobRefused,
    CommandRefused, QueryError, Forbidden and NotAgreed.
    """
    # The lock: of two that are sent at once, the second finds the job of the first.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    job, terminals = draft(values, by=by, at=at)
    if same := just_made(job, at):
        return same
    number, agreed = terminals.count(), clearance.agreed_terminals(Act.JOB)
    if catalogue.is_dangerous(job.command) and clearance.has_outgrown(number, agreed or 0):
        raise clearance.NotAgreed
    job.first_number = number if agreed is None else agreed
    job.save()
    target = {"query": (None, job.query)} if job.query else {}
    named = {"command": (None, job.command), "args": (None, job.args), **target, "terminals": (None, number)}
    recorder.record("created", job, named, comment=job.comment)
    return job


def just_made(drafted: Job, at: datetime) -> Job | None:
    """The same job, if its starter made it a moment ago and nobody has stopped it."""
    recent = Job.objects.filter(started_by=drafted.started_by, created_at__gt=at - SENT_TWICE_WITHIN)
    recent = recent.exclude(state__in=(JobState.CANCELLED, JobState.STOPPED))
    return next((job for job in recent if _asked(job) == _asked(drafted)), None)


def _asked(job: Job) -> list[Any]:
    """What somebody asked for, without what follows from the time and from the run."""
    fields = (field for field in Job._meta.concrete_fields if field.attname not in NOT_ASKED)
    return [field.get_prep_value(getattr(job, field.attname)) for field in fields]


def draft(values: JobValues, *, by: User, at: datetime) -> tuple[Job, QuerySet[Terminal]]:
    """The job, checked and not stored, and the terminals that it would have now. Raises the same."""
    demand(by, Permission.RUN_JOBS)
    spec = commands.check(values.command, values.args)
    demand(by, spec.permission)
    _check(values, spec, at=at)
    _check_target(values, spec, by=by)
    if Job.objects.open().count() >= MAX_OPEN_JOBS:
        raise JobRefused("$", f"{MAX_OPEN_JOBS} jobs are running or planned; cancel one first")
    job = _job(values, spec, by=by, at=at)
    return job, members(job, spec, by=by, at=at)


def read_query(text: str) -> Query:
    """The query of a new job. Raises QueryError, also for a group that does not exist."""
    query = Query.of(text, TERMINAL_FIELDS)
    for value in unknown_groups(text):
        raise QueryError(gettext("There is no group “%(name)s”.") % {"name": value.text[:40]}, value.span)
    return query


def members(job: Job, spec: CommandSpec, *, by: User, at: datetime) -> QuerySet[Terminal]:
    """The terminals that a run which starts now would have. Raises QueryError."""
    if job.query:
        rows = Terminal.objects.filter(Query.of(job.query, TERMINAL_FIELDS).where(at))
    else:
        rows = Terminal.objects.filter(pk__in=job.terminals)
    return allowed(rows, spec, by=by)


def allowed(rows: QuerySet[Terminal], spec: CommandSpec, *, by: User) -> QuerySet[Terminal]:
    """The rows for which a person may run the job, and send the command."""
    may_run = permitted(rows, by=by, permission=Permission.RUN_JOBS)
    return permitted(may_run, by=by, permission=spec.permission)


def may_control(person: User, job: Job) -> bool:
    """Whether the person may pause, resume and cancel it: their own, or where they may run all that its starter may."""
    held = scope_of(person, Permission.RUN_JOBS)
    if not held or held.is_everything or job.started_by_id == person.pk:
        return bool(held)
    theirs = scope_of(job.started_by, Permission.RUN_JOBS) if job.started_by else EVERYTHING
    return bool(theirs) and covers(held, theirs)


def demand_control(person: User, job: Job) -> None:
    """Raises Forbidden."""
    if not may_control(person, job):
        raise Forbidden(Permission.RUN_JOBS, is_elsewhere=may(person, Permission.RUN_JOBS))


def pause(job: Job) -> None:
    """What was sent is answered; nothing more is sent. Idempotent. Raises JobOver."""
    _move(job, JobState.ACTIVE, JobState.PAUSED, "paused")


def resume(job: Job) -> None:
    """Idempotent. Raises JobOver."""
    _move(job, JobState.PAUSED, JobState.ACTIVE, "resumed")


def hold_trial(job: Job, run: JobRun, *, at: datetime) -> None:
    """Pause a job that was tried on one terminal. Call it in a transaction, with the job locked."""
    if Job.objects.filter(pk=job.pk, state=JobState.ACTIVE).update(state=JobState.PAUSED):
        recorder.record("paused", job, {"reason": (None, TRIAL)})
    Job.objects.open().filter(pk=job.pk).update(reason=TRIAL)
    record_event(JobEventKind.TRIED, job, run, at=at, reason=TRIAL)


def is_on_trial(job: Job) -> bool:
    """Whether the one terminal that it is tried on has not answered yet."""
    return job.is_trial and not job.events.filter(kind=JobEventKind.TRIED).exists()


@transaction.atomic
def cancel(job: Job, *, at: datetime) -> None:
    """Nothing more is sent, and no further run starts. Idempotent."""
    end(job, JobState.CANCELLED, at=at)


@transaction.atomic
def end(job: Job, state: JobState, *, at: datetime, reason: str = "") -> bool:
    """End an open job before its time. False if it was over."""
    # The lock: the runner must not be about to send.
    Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    changed = Job.objects.open().filter(pk=job.pk)
    if not changed.update(state=state, reason=reason, occurs_at=None, occurs_until=None):
        return False
    items = Item.objects.filter(run__job=job)
    items.filter(state=ItemState.WAITING).update(state=ItemState.CANCELLED, reason="", ended_at=at)
    sent = items.filter(state=ItemState.SENT).exclude(command=None)
    recorder.record(state.value, job, {"reason": (None, reason)} if reason else {})
    commands.withdraw(list(sent.values_list("command__pk", flat=True)), reason="the job was cancelled")
    record_event(JobEventKind(state.value), job, job.runs.going().first(), at=at, reason=reason)
    return True


def record_event(kind: JobEventKind, job: Job, run: JobRun | None, *, at: datetime, reason: str = "") -> None:
    """Once for a run. Call it in the transaction that makes it true."""
    counts = counts_of([run.pk])[run.pk] if run else {}
    event = JobEvent(job=job, run=run, kind=kind, at=at, counts=counts, reason=reason)
    JobEvent.objects.bulk_create([event], ignore_conflicts=True)


def counts_of(runs: Collection[int], *, to: User | None = None) -> dict[int, dict[str, int]]:
    """How many items of each run are in each state; for a person, of the terminals that they see."""
    found: dict[int, dict[str, int]] = {pk: {} for pk in runs}
    items = Item.objects.filter(run__in=runs)
    items = visible(items, to=to) if to else items
    for run, state, number in items.order_by().values_list("run", "state").annotate(number=Count("pk")):
        found[run][state] = number
    return found


@transaction.atomic
def preview_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> list[str]:
    """Items of these terminals that the runner would skip. A receiver of `lifecycle_preview`."""
    if to.treatment.takes_work:
        return []
    number = Item.objects.filter(terminal__in=terminals, state=ItemState.WAITING).count()
    text = ngettext("%(n)s waiting item of jobs is skipped.", "%(n)s waiting items of jobs are skipped.", number)
    return [text % {"n": f"{number:,}"}] if number else []


@transaction.atomic
def _move(job: Job, before: JobState, after: JobState, action: str) -> None:
    if Job.objects.filter(pk=job.pk, state=before).update(state=after, reason=""):
        recorder.record(action, job)
    elif not Job.objects.filter(pk=job.pk, state__in=OPEN).exists():
        raise JobOver(f"job {job.pk} has ended")


def _check(values: JobValues, spec: CommandSpec, *, at: datetime) -> None:
    """Raises JobRefused."""
    length, retries = values.first.until - values.first.since, values.retries
    limits = (
        (1 <= len(values.name) <= 100, "$.name", "1 to 100 characters"),
        (1 <= values.at_once <= MAX_AT_ONCE, "$.at_once", f"from 1 to {MAX_AT_ONCE}"),
        (0 <= values.per_site <= MAX_AT_ONCE, "$.per_site", f"from 0 (no limit) to {MAX_AT_ONCE}"),
        (timedelta(minutes=1) <= length <= MAX_LENGTH, "$.ends_after_s", "from one minute to 31 days"),
        (values.first.until > at, "$.starts_at", "the run would be over already; choose a later start"),
        (0 <= retries.limit <= MAX_RETRIES, "$.retries.limit", f"from 0 to {MAX_RETRIES}"),
        (10 <= retries.after_s <= MAX_RETRY_AFTER_S, "$.retries.after_s", f"from 10 to {MAX_RETRY_AFTER_S}"),
        (not retries.limit or retries.reasons, "$.retries.reasons", "name at least one reason to try again"),
        (0 <= values.stop.above_pct < 100, "$.stop.above_pct", "from 0 (never) to 99"),
        (1 <= values.stop.after <= MAX_STOP_AFTER, "$.stop.after", f"from 1 to {MAX_STOP_AFTER}"),
        (
            values.answer_within_s is None or 1 <= values.answer_within_s <= commands.MAX_ANSWER_S,
            "$.answer_within_s",
            f"from 1 to {commands.MAX_ANSWER_S:.0f}",
        ),
        (
            spec.danger != Danger.DELETES_DATA,
            "$.command",
            "a command that deletes data needs a second person for each terminal; send it to them one by one",
        ),
    )
    for is_right, where, text in limits:
        if not is_right:
            raise JobRefused(where, text)


def _check_target(values: JobValues, spec: CommandSpec, *, by: User) -> None:
    """Raises JobRefused and QueryError."""
    if bool(values.query) == bool(values.terminals):
        raise JobRefused("$.query", "give either a query or terminals")
    if values.query:
        read_query(values.query)
        return
    if len(values.terminals) > MAX_CHOSEN:
        raise JobRefused("$.terminals", f"at most {MAX_CHOSEN:,} terminals; use a query for more")
    chosen = {terminal.pk: terminal.uid for terminal in values.terminals}
    may = set(allowed(Terminal.objects.filter(pk__in=chosen), spec, by=by).values_list("pk", flat=True))
    if refused := sorted(uid for pk, uid in chosen.items() if pk not in may):
        raise JobRefused("$.terminals", f"you may not send {spec.name} to: {', '.join(refused[:5])}")


def per_site(spec: CommandSpec, wanted: int) -> int:
    """How many of a site at once: what may cut the link goes to one at a time."""
    return 1 if spec.danger == Danger.CUTS_LINK else wanted


def _job(values: JobValues, spec: CommandSpec, *, by: User, at: datetime) -> Job:
    recurrence, wall = values.recurrence, values.recurrence.starts_at if values.recurrence else None
    return Job(
        name=values.name,
        comment=values.comment,
        command=values.command,
        args=values.args,
        query=values.query,
        terminals=[terminal.pk for terminal in values.terminals],
        is_trial=values.is_trial,
        at_once=values.at_once,
        per_site=per_site(spec, values.per_site),
        hours=values.hours,
        answer_within_s=values.answer_within_s or spec.answer_within_s,
        retry_limit=values.retries.limit,
        retry_after_s=values.retries.after_s,
        retry_for=sorted(values.retries.reasons),
        stop_above_pct=values.stop.above_pct,
        stop_after=values.stop.after,
        time_zone=recurrence.zone.key if recurrence else "UTC",
        first_on=wall.date() if wall else None,
        starts_at=wall.time() if wall else None,
        length_s=int((values.first.until - values.first.since).total_seconds()),
        rrule=recurrence.rule if recurrence else "",
        occurs_at=values.first.since,
        occurs_until=values.first.until,
        started_by=by,
        created_at=at,
    )
