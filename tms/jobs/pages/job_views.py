"""The page of a job, and what people do to it: pause, resume, cancel, export."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.access.grant_scopes import is_key
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.display_names import name_of
from tms.accounts.permissions import Permission
from tms.commands import catalogue
from tms.jobs import services
from tms.jobs.models import OPEN, Item, ItemState, Job, JobHours, JobRun, JobState
from tms.jobs.pages import results
from tms.jobs.pages.listing import ICONS, STATE_LABELS, JobRow, state_of
from tms.jobs.pages.progress import RunProgress, progress_of_runs
from tms.jobs.pages.results import MAX_SITES, ResultsQuery, SiteCounts
from tms.jobs.reasons import item_reason
from tms.jobs.services import JobOver
from tms.lib import csv_export
from tms.lib.calendar.durations import spell
from tms.lib.csv_export import Cell

SHOWN_RUNS = 10
POLL_S, POLL_LARGE_S = 2, 10
MANY_ITEMS = 5_000
POLL_SCHEDULED_S = 10
EXPORTED_AT_ONCE = 1_000
EXPORT_HEAD = ("terminal", "site", "state", "reason", "attempts", "ended_at", "error")


@require_safe
@never_cache
@sign_in_required
def job(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """A job with one of its `run`s, by default the last. It asks for itself again while the job is open."""
    found = _find(request, pk)
    template = "jobs/job.html#page" if request.htmx else "jobs/job.html"
    return render(request, template, _values(request, found, _run(request, found)))


@require_POST
@never_cache
@needs(Permission.RUN_JOBS)
def pause_job(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    found = _controlled(request, pk)
    try:
        services.pause(found)
    except JobOver:
        return _conflict(request, found)
    return redirect(found)


@require_POST
@never_cache
@needs(Permission.RUN_JOBS)
def resume_job(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    found = _controlled(request, pk)
    try:
        services.resume(found)
    except JobOver:
        return _conflict(request, found)
    return redirect(found)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_JOBS)
def cancel_job(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what it means. POST: cancel it; repeating that changes nothing."""
    found = _controlled(request, pk)
    if request.method == "POST":
        services.cancel(found, at=timezone.now())
        return redirect(found)
    if found.state not in OPEN:
        return _conflict(request, found)
    items = access.visible(Item.objects.filter(run__in=found.runs.going()), to=request.user)
    values = {
        "nav_item": "jobs",
        "job": found,
        "waiting": items.filter(state=ItemState.WAITING).count(),
        "sent": items.filter(state=ItemState.SENT).count(),
    }
    return render(request, "jobs/cancel.html", values)


@require_safe
@never_cache
@sign_in_required
def export_items(request: AuthenticatedRequest, pk: int) -> HttpResponseBase:
    """The items of a `run`, by default of the last, as CSV; of the terminals that the person sees."""
    found = _find(request, pk)
    run = _run(request, found)
    recorder.record_export(Job, "csv", f"job={pk}" + (f"&run={run.pk}" if run else ""))
    rows = _ExportedItems(request, run)
    return csv_export.stream(f"tms-job-{pk}-{timezone.localdate():%Y-%m-%d}.csv", EXPORT_HEAD, rows)


class _ExportedItems:
    """The rows of a run, a part with each call."""

    columns = ("terminal", "terminal__uid", "terminal__site__code", *EXPORT_HEAD[2:])

    def __init__(self, request: AuthenticatedRequest, run: JobRun | None) -> None:
        items = results.items_of(run, request.user) if run else Item.objects.none()
        # In the order of the unique index of a run.
        self._rows = items.order_by("terminal_id").values_list(*self.columns)
        self._last = 0

    def __call__(self) -> Sequence[Sequence[Cell]]:
        part = list(self._rows.filter(terminal__gt=self._last)[:EXPORTED_AT_ONCE])
        self._last = part[-1][0] if part else self._last
        return [_cells(*row[1:-2], ended_at=row[-2], error=row[-1]) for row in part]


def _cells(uid: str, site: str, *of_item: Cell, ended_at: datetime | None, error: str) -> Sequence[Cell]:
    ended = ended_at.isoformat(timespec="seconds") if ended_at else ""
    return (uid, site, *of_item, ended, error)


def _find(request: AuthenticatedRequest, pk: int) -> Job:
    return get_object_or_404(Job.objects.of(request.user).select_related("started_by"), pk=pk)


def _controlled(request: AuthenticatedRequest, pk: int) -> Job:
    found = _find(request, pk)
    services.demand_control(request.user, found)
    return found


def _run(request: AuthenticatedRequest, found: Job) -> JobRun | None:
    """The run that the address names, or the last."""
    asked = request.GET.get("run", "")
    if not asked:
        return found.runs.first()
    if not is_key(asked):
        raise Http404
    return get_object_or_404(found.runs, pk=int(asked))


def _conflict(request: AuthenticatedRequest, found: Job) -> HttpResponse:
    """It has ended meanwhile."""
    found.refresh_from_db()
    messages.error(request, gettext("The job has ended already."))
    values = _values(request, found, found.runs.first())
    return render(request, "jobs/job.html", values, status=HTTPStatus.CONFLICT)


def _values(request: AuthenticatedRequest, found: Job, run: JobRun | None) -> dict[str, Any]:
    query = ResultsQuery.of(request.GET)
    items = results.items_of(run, request.user) if run else Item.objects.none()
    sites = results.site_counts(items) if run else SiteCounts({})
    values: dict[str, Any] = {
        "nav_item": "jobs",
        "query": query,
        "run": run,
        "poll_s": _poll_s(found, run, sites.total.total),
        "may_control": found.state in OPEN and services.may_control(request.user, found),
        "may_run": access.may(request.user, Permission.RUN_JOBS),
        **_head(found, run, sites.total, timezone.now()),
    }
    if run is not None:
        values |= _results(run, query, items, sites)
    # History moves once a run: what is asked for every two seconds does not have it.
    return values if request.htmx else values | {"runs": _history(found, request)}


def _poll_s(found: Job, run: JobRun | None, items: int) -> int:
    """How often the page asks for itself again, less often for runs that cost more to count; 0 for never."""
    if run is not None and run.ended_at is None:
        return POLL_S if items <= MANY_ITEMS else POLL_LARGE_S
    if found.state not in OPEN:
        return 0
    is_soon = found.occurs_at is not None and found.occurs_at <= timezone.now() + timedelta(seconds=POLL_SCHEDULED_S)
    return POLL_S if is_soon else POLL_SCHEDULED_S


def _head(found: Job, run: JobRun | None, progress: RunProgress, at: datetime) -> dict[str, Any]:
    is_last = run is None or not found.runs.filter(pk__gt=run.pk).exists()
    state = state_of(found, run, progress, is_last=is_last)
    spec = catalogue.find(found.command)
    by = name_of(found.started_by) if found.started_by else None
    label = spec.label if spec else found.command
    left = progress.left_s(run.started_at, at) if run and state == "running" else None
    row = JobRow(found, "finished" if run and run.ended_at else "progress", run, progress, state, label, by)
    return {
        "job": found,
        "row": row,
        "icon": ICONS[state],
        "state": state,
        "state_label": STATE_LABELS[state](),
        "progress": progress,
        "left": spell(left) if left is not None else "",
        "ending": row.ending,
        "command": label,
        "is_dangerous": spec is not None and spec.is_dangerous,
        "hours": JobHours(found.hours).label,
        "retry_for": [item_reason(ItemState.FAILED, reason) for reason in found.retry_for],
        "is_paused": found.state == JobState.PAUSED,
    }


def _results(run: JobRun, query: ResultsQuery, items: QuerySet[Item], sites: SiteCounts) -> dict[str, Any]:
    page, progress = results.items_page(items, query), sites.total
    tabs = [
        (state.value, state.label, progress[state], query.address(run, show=state, after="")) for state in ItemState
    ]
    return {
        "items": page.rows,
        "tabs": [tab for tab in tabs if tab[2] or tab[0] == query.show],
        "all_address": query.address(run, show="", after=""),
        "next": query.address(run, after=page.after) if page.after else "",
        "first": query.address(run, after="") if query.after else "",
        "waiting_reasons": results.waiting_reasons(items) if progress[ItemState.WAITING] else [],
        "failures": results.failure_reasons(items) if progress[ItemState.FAILED] else [],
        "sites": sites.shares(None if query.all_sites else MAX_SITES),
        "number_of_sites": len(sites.by_site),
        "sites_address": "" if query.all_sites else query.address(run, sites="all"),
        "stop_share": min(100.0, 100 * progress.failed_pct / run.job.stop_above_pct)
        if run.job.stop_above_pct
        else None,
    }


def _history(found: Job, request: AuthenticatedRequest) -> list[tuple[JobRun, RunProgress]]:
    """The last runs of a job that has several."""
    runs = list(found.runs.all()[:SHOWN_RUNS])
    if len(runs) < 2 and not found.rrule:
        return []
    progress = progress_of_runs([run.pk for run in runs], to=request.user)
    return [(run, progress[run.pk]) for run in runs]
