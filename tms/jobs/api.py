"""REST operations for jobs: create, read, pause, resume, cancel; their items by state."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import visible
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.services import alone
from tms.commands import catalogue
from tms.commands.services import CommandRefused
from tms.jobs import services
from tms.jobs.approvals import JobPayload
from tms.jobs.models import Item, ItemState, Job, JobRun, JobState
from tms.jobs.schemas import ItemPageSchema, ItemSchema, JobBody, JobPageSchema, JobSchema, RunSchema
from tms.jobs.services import JobRefused
from tms.lib.pagination import Column, Keyset
from tms.query.errors import QueryError
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id

router = ApiRouter("jobs")
RUNNING = Access(Permission.RUN_JOBS, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
IN_ORDER = Keyset((Column("pk", int),))
SHOWN_RUNS = 10


class JobQuery(PageQuery):
    state: JobState | None = None


class ItemQuery(PageQuery):
    run: Id | None = None
    state: ItemState | None = None


@router.get("/jobs", summary="List jobs", response=JobPageSchema)
def list_jobs(request: ApiRequest, response: HttpResponse, query: Query[JobQuery]) -> JobPageSchema:
    """Your own, and those of people who run jobs only where you see everything. Newest first."""
    rows = _jobs(request)
    if query.state is not None:
        rows = rows.filter(state=query.state)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return JobPageSchema(items=_answers(request, found.rows), next=found.next)


@router.get("/jobs/{int:pk}", summary="Read a job", response=JobSchema)
def read_job(request: ApiRequest, pk: int) -> JobSchema:
    return _answer(request, _job(request, pk))


@router.get("/jobs/{int:pk}/items", summary="List the items of a job", response=ItemPageSchema)
def list_job_items(request: ApiRequest, response: HttpResponse, pk: int, query: Query[ItemQuery]) -> ItemPageSchema:
    """One for each terminal and run, as far as you see the terminals."""
    rows = visible(Item.objects.filter(run__job=_job(request, pk)), to=request.person).select_related("terminal")
    wanted = {name: value for name, value in (("run", query.run), ("state", query.state)) if value is not None}
    found = paginate(request, response, rows.filter(**wanted), query, order=IN_ORDER)
    return ItemPageSchema(items=[ItemSchema.of(item) for item in found.rows], next=found.next)


@router.post("/jobs", summary="Create a job", response=JobSchema, status=201, access=RUNNING)
def create_job(request: ApiRequest, response: HttpResponse, body: JobBody) -> JobSchema:
    """It starts within seconds, or at `starts_at`. It sends with your permissions, which are asked again each time.

    A terminal gets the command at most once in a run, unless `retries` says otherwise; a dangerous command never goes
    to the last working terminal of its kind at an open site. One for many terminals needs a second person. The same job
    within ten seconds is made once.
    """
    at = timezone.now()
    try:
        made = _create(request, body, at)
    except JobRefused as error:
        raise unreadable(RequestFault(error.where, str(error))) from None
    except CommandRefused as error:
        where = "$.command" if error.where == "$.name" else error.where
        raise unreadable(RequestFault(where, str(error))) from None
    except QueryError as error:
        raise unreadable(RequestFault("$.query", str(error))) from None
    response["Location"] = f"{request.path}/{made.pk}"
    return _answer(request, made)


@router.post("/jobs/{int:pk}/pause", summary="Pause a job", response=JobSchema, access=RUNNING)
def pause_job(request: ApiRequest, pk: int) -> JobSchema:
    """What was sent is still answered. Repeating it changes nothing."""
    services.pause(_controlled(request, pk))
    return _answer(request, _job(request, pk))


@router.post("/jobs/{int:pk}/resume", summary="Resume a job", response=JobSchema, access=RUNNING)
def resume_job(request: ApiRequest, pk: int) -> JobSchema:
    """A start that was missed meanwhile is made up if its run could still be going. Repeating it changes nothing."""
    services.resume(_controlled(request, pk))
    return _answer(request, _job(request, pk))


@router.post("/jobs/{int:pk}/cancel", summary="Cancel a job", response=JobSchema, access=RUNNING)
def cancel_job(request: ApiRequest, pk: int) -> JobSchema:
    """Nothing more is sent, and no further run starts. Repeating it changes nothing."""
    services.cancel(_controlled(request, pk), at=timezone.now())
    return _answer(request, _job(request, pk))


def _create(request: ApiRequest, body: JobBody, at: datetime) -> Job:
    person, values = request.person, body.values(request.person, at=at)
    _draft, terminals = services.draft(values, by=person, at=at)
    if not catalogue.is_dangerous(body.command):
        return services.create_job(values, by=person, at=at)
    payload = JobPayload(
        body.model_dump(mode="json", exclude={"confirm"}), tuple(terminals.values_list("pk", flat=True))
    )
    proposal = propose(Act.JOB, payload, by=person, at=at)
    check(proposal, confirm=body.confirm, reason=body.comment, by=person, at=at)
    with alone(proposal, reason=body.comment, by=person):
        return services.create_job(values, by=person, at=at)


def _jobs(request: ApiRequest) -> QuerySet[Job]:
    return Job.objects.of(request.person).select_related("started_by")


def _job(request: ApiRequest, pk: int) -> Job:
    found = _jobs(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _controlled(request: ApiRequest, pk: int) -> Job:
    found = _job(request, pk)
    services.demand_control(request.person, found)
    return found


def _answer(request: ApiRequest, job: Job) -> JobSchema:
    return _answers(request, [job])[0]


def _answers(request: ApiRequest, jobs: Sequence[Job]) -> list[JobSchema]:
    """A query for the runs of each job: a window function would number those of all years."""
    runs = {job.pk: list(JobRun.objects.filter(job=job).order_by("-pk")[:SHOWN_RUNS]) for job in jobs}
    counts = services.counts_of([run.pk for of_job in runs.values() for run in of_job], to=request.person)
    return [JobSchema.of(job, [RunSchema.of(run, counts[run.pk]) for run in runs[job.pk]]) for job in jobs]
