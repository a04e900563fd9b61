"""Starts the runs of jobs: freezes their members."""

from datetime import datetime
from typing import NamedTuple

from tms.accounts.access import may, may_watch
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.approvals.clearance import has_outgrown
from tms.commands import catalogue
from tms.commands.kinds import CommandSpec
from tms.commands.uses import may_be_job
from tms.fleet.groups.uses import unknown_groups
from tms.jobs import services
from tms.jobs.models import Item, Job, JobEventKind, JobRun, JobState
from tms.jobs.schedules import plan
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.query.errors import QueryError

MAX_ITEMS = 100_000
PASS_LIMIT = 20

not_started = SetAside[int]("job_starts")


@skip_when_empty(Job.objects.due)
def start_due(at: datetime) -> int:
    """A pass of the clock: start the runs that are due. Returns how many occurrences it dealt with."""
    due = Job.objects.due(at).exclude(pk__in=not_started.keys(at)).order_by("occurs_at", "pk")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return sum(isolate([pk], lambda one: _start(one[0], at), aside=not_started, at=at) for pk in pks)


def _start(pk: int, at: datetime) -> int:
    """Call it in a transaction."""
    job = Job.objects.due(at).select_for_update(skip_locked=True, of=("self",), no_key=True).filter(pk=pk).first()
    if job is None or job.next is None:
        return 0
    planned = plan(job.next, job.recurrence, at, is_going=job.runs.going().exists())
    due, coming = job.next, planned.next
    Job.objects.filter(pk=pk).update(
        occurs_at=coming.since if coming else None, occurs_until=coming.until if coming else None
    )
    sender = sender_of(job)
    if isinstance(sender, str):
        services.end(job, JobState.STOPPED, at=at, reason=sender)
    elif planned.starts:
        run = JobRun.objects.create(job=job, since=due.since, until=due.until, started_at=at)
        _freeze(run, sender.spec, by=sender.person, at=at)
        services.record_event(JobEventKind.STARTED, job, run, at=at, reason=run.reason)
    else:
        why = "late" if due.until <= at else "going"
        services.record_event(JobEventKind.MISSED, job, None, at=at, reason=why)
        if coming is None:
            Job.objects.filter(pk=pk, state=JobState.ACTIVE).update(state=JobState.FINISHED)
    return 1


class JobSender(NamedTuple):
    """The person on whose behalf a job sends, and the command."""

    person: User
    spec: CommandSpec


def sender_of(job: Job) -> JobSender | str:
    """Why TMS stops the job, if it does. Everything is read again each time: the command and the rights of the
    starter may have changed.
    """
    spec = catalogue.find(job.command)
    if spec is None or not may_be_job(spec.danger, dict(spec.arguments), job.args):
        return "command"
    person = User.objects.filter(pk=job.started_by_id).first() if job.started_by_id else None
    if person is None or not (may_watch(person) and may(person, Permission.RUN_JOBS) and may(person, spec.permission)):
        return "permission"
    return JobSender(person, spec)


def _freeze(run: JobRun, spec: CommandSpec, *, by: User, at: datetime) -> None:
    if unknown_groups(run.job.query):
        _fail(run, "group")
        return
    try:
        found = services.members(run.job, spec, by=by, at=at).order_by("pk")
        pks = list(found.values_list("pk", flat=True)[: MAX_ITEMS + 1])
    except QueryError:
        # A field of the query is no more: an attribute was deleted.
        _fail(run, "query")
        return
    if len(pks) > MAX_ITEMS:
        _fail(run, "too_many")
        return
    if spec.is_dangerous and has_outgrown(len(pks), run.job.first_number):
        _fail(run, "grown")
        return
    Item.objects.bulk_create((Item(run=run, terminal_id=pk, not_before=at) for pk in pks), batch_size=5_000)


def _fail(run: JobRun, reason: str) -> None:
    """It ends without items at the next pass."""
    run.reason = reason
    run.save(update_fields=("reason",))
