"""The page on which people make a job: its form, the preview that follows it, and the confirmation."""

from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.access import Forbidden, visible
from tms.accounts.access.grant_scopes import is_key
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import Proposal, propose
from tms.commands import catalogue
from tms.commands.services import CommandRefused
from tms.fleet.manage.forms import TypedForm
from tms.fleet.models import Terminal
from tms.jobs import services
from tms.jobs.approvals import JobPayload
from tms.jobs.models import Job, JobHours, JobRun
from tms.jobs.pages.forms import AT, NOW, QUERY, TERMINALS, JobForm, first_values
from tms.jobs.pages.preview import JobPreview, PreviewLimits, PreviewTarget, preview_of
from tms.jobs.pages.results import failed_terminals, items_of
from tms.jobs.schemas import JobBody
from tms.jobs.services import MAX_CHOSEN, JobRefused
from tms.lib.calendar.durations import spell
from tms.lib.calendar.local_time import local_time
from tms.lib.forms.recurrence import initial_of
from tms.protocol.text import clean
from tms.query.errors import QueryError
from tms.rest_base.problems import ProblemError

MAX_QUERY = 2_000
MAX_CHIPS = 100
"""Chosen terminals that the form shows one by one; more are one hidden field."""
CONFIRMATION = ("is_confirmed", "number", "typed", "csrfmiddlewaretoken", "prefill")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_JOBS)
def new_job(request: AuthenticatedRequest) -> HttpResponse:
    """The form, filled in from the address (or from a POST with `prefill`), and its submission. What disturbs customers
    is confirmed first; above the threshold by a second person.
    """
    at = timezone.now()
    if request.method != "POST" or "prefill" in request.POST:
        given = request.POST if request.method == "POST" else request.GET
        form = JobForm(by=request.user, initial=_initial(request, given, at))
        return _show(request, form, at, seen=given.get("count", ""))
    form = JobForm(request.POST, by=request.user)
    if "preview" in request.POST or not form.is_valid():
        status = HTTPStatus.OK if "preview" in request.POST else HTTPStatus.UNPROCESSABLE_ENTITY
        return _show(request, form, at, status=status)
    return _create(request, form, at)


@require_POST
@never_cache
@needs(Permission.RUN_JOBS)
def preview_job(request: AuthenticatedRequest) -> HttpResponse:
    """What the form would do now, for htmx; with the fields of the arguments if another command was chosen."""
    form, at = JobForm(request.POST, by=request.user), timezone.now()
    form.is_valid()
    values = {"form": form, "is_answer": True, **_preview(request, form, at, seen=request.POST.get("seen", ""))}
    return render(request, "jobs/new.html#preview", values)


def _create(request: AuthenticatedRequest, form: JobForm, at: datetime) -> HttpResponse:
    body = form.body()
    try:
        drafted, terminals = services.draft(body.values(request.user, at=at), by=request.user, at=at)
        if again := services.just_made(drafted, at):
            return _made(request, again)
        pks = tuple(terminals.values_list("pk", flat=True))
        if not pks and not body.rrule:
            raise JobRefused("$.query" if body.query else "$.terminals", gettext("No terminal matches."))
        if catalogue.is_dangerous(body.command):
            return _create_dangerous(request, body, pks, at)
        made = services.create_job(body.values(request.user, at=at), by=request.user, at=at)
    except (CommandRefused, JobRefused, ProblemError, QueryError) as error:
        for where, text in _faults(error):
            form.add_fault(where, text)
        return _show(request, form, at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except Forbidden as error:
        form.add_fault("$.command", str(error))
        return _show(request, form, at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _made(request, made)


def _create_dangerous(request: AuthenticatedRequest, body: JobBody, pks: tuple[int, ...], at: datetime) -> HttpResponse:
    """Show the impact first, and again if the job would reach more than was shown."""
    payload = JobPayload(body.model_dump(mode="json", exclude={"confirm"}), pks)
    proposal = propose(Act.JOB, payload, by=request.user, at=at)
    shown = request.POST.get("number", "")
    is_sent = "is_confirmed" in request.POST and is_key(shown) and len(pks) <= int(shown)
    form = _confirmation(request.POST if is_sent else None, proposal)
    if not is_sent or not form.is_valid():
        return _confirm(request, proposal, form, is_changed=not is_sent and "is_confirmed" in request.POST)
    if proposal.needs_approval:
        return redirect(approvals.ask(proposal, reason=body.comment, by=request.user, at=at))
    with approvals.alone(proposal, reason=body.comment, by=request.user):
        made = services.create_job(body.values(request.user, at=at), by=request.user, at=at)
    return _made(request, made)


def _confirmation(data: QueryDict | None, proposal: Proposal) -> TypedForm:
    form = TypedForm(data, word=proposal.word if proposal.must_be_typed else "")
    del form.fields["comment"]  # that of the job is the reason
    return form


def _confirm(request: AuthenticatedRequest, proposal: Proposal, form: TypedForm, *, is_changed: bool) -> HttpResponse:
    values = {
        "nav_item": "jobs",
        "proposal": proposal,
        "form": form,
        "number": len(proposal.payload.terminals),
        "command": catalogue.find(proposal.payload.command),
        "is_changed": is_changed,
        "kept": list(_kept(request.POST)),
    }
    status = HTTPStatus.CONFLICT if is_changed else HTTPStatus.OK
    return render(
        request, "jobs/confirm.html", values, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else status
    )


def _kept(data: QueryDict) -> Iterator[tuple[str, str]]:
    """What was sent, to be sent again; chosen terminals as one field."""
    for name, values in data.lists():
        if name in CONFIRMATION:
            continue
        for value in [" ".join(map(str, values))] if name == TERMINALS else values:
            yield name, str(value)


def _made(request: AuthenticatedRequest, made: Job) -> HttpResponse:
    messages.success(request, gettext("Job created"))
    return redirect(made)


def _faults(error: Exception) -> Iterator[tuple[str, str]]:
    """What was refused: where, as a path in the body, and why."""
    if isinstance(error, ProblemError):
        yield from error.faults
        if not error.faults:
            yield "$", str(error)
    elif isinstance(error, QueryError):
        yield "$.query", str(error)
    elif isinstance(error, CommandRefused):
        yield "$.command" if error.where == "$.name" else error.where, str(error)
    elif isinstance(error, JobRefused):
        yield error.where, str(error)


def _show(
    request: AuthenticatedRequest, form: JobForm, at: datetime, *, seen: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    seen = seen or request.POST.get("seen", "")
    values = {
        "nav_item": "jobs",
        "form": form,
        "seen": seen if is_key(seen) else "",
        "has_many": len(form.picked) > MAX_CHIPS,
        **_preview(request, form, at, seen=seen),
    }
    return render(request, "jobs/new.html", values, status=status)


def _preview(request: AuthenticatedRequest, form: JobForm, at: datetime, *, seen: str) -> dict[str, Any]:
    """Nothing before the browser asks for it; then numbers, or what is missing for them."""
    if not form.is_bound or form.spec is None:
        return {"preview": None}
    if form.problems:
        return {"preview": None, "is_incomplete": True}
    given = form.cleaned_data
    is_query = given["by"] == QUERY
    chosen = () if is_query else [terminal.pk for terminal in given["terminals"]]
    target = PreviewTarget(given["q"] if is_query else "", chosen)
    hours = JobHours(given.get("hours") or JobHours.ANY)
    limits = PreviewLimits(given.get("at_once") or 40, services.per_site(form.spec, given.get("per_site") or 0))
    try:
        found = preview_of(target, form.spec, hours, limits, to=request.user, at=at)
    except QueryError as error:
        return {"preview": None, "problem": str(error)}
    return {
        "preview": found,
        "takes": "" if found.takes_s is None else spell(found.takes_s),
        "starts": _starts(request, form, at),
        "seen_before": _seen_before(found, seen),
    }


def _seen_before(found: JobPreview, seen: str) -> int | None:
    """The number that the person saw in the list, if it is another one now."""
    return int(seen) if is_key(seen) and int(seen) != found.matched else None


def _starts(request: AuthenticatedRequest, form: JobForm, at: datetime) -> datetime | None:
    """The first start; None for now, or while that is not known."""
    if form.cleaned_data.get("start") != AT:
        return None
    try:
        return form.body().values(request.user, at=at).first.since
    except ProblemError:
        return None


def _initial(request: AuthenticatedRequest, given: QueryDict, at: datetime) -> dict[str, Any]:
    """Initial values: those of another `job`, the failed terminals of a run to `retry`, chosen terminals (`terminal`,
    repeated) or all that match a query (`all`, `q`).
    """
    values = first_values(at)
    if number := given.get("job", ""):
        values |= _again(_readable(request, number), request, at)
    if number := given.get("retry", ""):
        return values | _retry(request, number, given, at)
    command = given.get("command", "")
    if catalogue.find(command):
        values["command"] = command
    if given.get("all") == "1":
        return values | {"by": QUERY, "q": clean(given.get("q", ""))[:MAX_QUERY]}
    if chosen := given.getlist("terminal")[:MAX_CHOSEN]:
        return values | {"by": TERMINALS, "terminals": chosen}
    return values


def _readable(request: AuthenticatedRequest, number: str) -> Job:
    if not is_key(number):
        raise Http404
    return get_object_or_404(Job.objects.of(request.user), pk=int(number))


def _retry(request: AuthenticatedRequest, number: str, given: QueryDict, at: datetime) -> dict[str, Any]:
    """The same job for the terminals that failed, of one `reason` and `error` or all of them; once and now."""
    if not is_key(number):
        raise Http404
    run = get_object_or_404(JobRun.objects.filter(job__in=Job.objects.of(request.user)), pk=int(number))
    uids = failed_terminals(
        items_of(run, request.user), given.get("reason", ""), given.get("error"), limit=MAX_CHOSEN + 1
    )
    if len(uids) > MAX_CHOSEN:
        text = gettext("More than %(n)s failed: these are the first. Retry the others afterwards.")
        messages.warning(request, text % {"n": f"{MAX_CHOSEN:,}"})
    once = {"by": TERMINALS, "q": "", "terminals": uids[:MAX_CHOSEN], "start": NOW, "repeats": "once"}
    name = gettext("Retry: %(name)s") % {"name": run.job.name}
    return _again(run.job, request, at) | once | {"name": name[:100]}


def _again(job: Job, request: AuthenticatedRequest, at: datetime) -> dict[str, Any]:
    """The values of a job, for another one."""
    seen = visible(Terminal.objects.filter(pk__in=job.terminals), to=request.user)
    chosen = seen.order_by("uid").values_list("uid", flat=True)
    copied = ("name", "comment", "command", "args", "at_once", "per_site", "hours", "retry_limit", "retry_after_s")
    values = {name: getattr(job, name) for name in (*copied, "retry_for", "stop_above_pct", "stop_after")}
    values |= {"by": QUERY if job.query else TERMINALS, "q": job.query, "terminals": list(chosen)}
    values |= {"ends_after_s": job.length_s, **initial_of(job.rrule, timezone.localdate())}
    if job.starts_at is None or job.first_on is None:
        return first_values(at) | values
    zone = ZoneInfo(job.time_zone)
    day = local_time(job.occurs_at or at, zone).date()
    when = {"start": AT, "starts_at": datetime.combine(day, job.starts_at), "time_zone": job.time_zone}
    return first_values(at) | values | when
