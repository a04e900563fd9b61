"""The page with the list of jobs."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.permissions import Permission
from tms.commands import catalogue
from tms.jobs.models import Job
from tms.jobs.pages.listing import GROUPS, JobLister, JobListQuery


@require_safe
@never_cache
@sign_in_required
def jobs(request: AuthenticatedRequest) -> HttpResponse:
    """The jobs that the person may read, in three groups."""
    at, query = timezone.now(), JobListQuery.of(request.GET)
    lister = JobLister(request.user, query, at)
    found = lister.rows()
    groups = [(name, label, [row for row in found.rows if row.group == name]) for name, label in GROUPS.items()]
    values = {
        "nav_item": "jobs",
        "query": query,
        "words": query.words,
        "chips": [] if request.htmx else lister.chips(),
        "groups": [group for group in groups if group[2]],
        "is_running": any(row.state == "running" for row in found.rows),
        "total": Job.objects.of(request.user).count(),
        "commands": len(catalogue.names()),
        "previous": query.address(page=query.page - 1) if query.page else "",
        "next": query.address(page=query.page + 1) if found.has_next else "",
        "may_run": access.may(request.user, Permission.RUN_JOBS),
    }
    return render(request, "jobs/jobs.html#list" if request.htmx else "jobs/jobs.html", values)
