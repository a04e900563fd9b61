"""The page with the list of rollouts."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.permissions import Permission
from tms.artifacts.models import Artifact
from tms.rollouts.models import Rollout
from tms.rollouts.pages.listing import RolloutLister, RolloutListQuery
from tms.rollouts.pages.words import GROUPS


@require_safe
@never_cache
@sign_in_required
def rollouts(request: AuthenticatedRequest) -> HttpResponse:
    """The rollouts that the person may read, in four groups."""
    query = RolloutListQuery.of(request.GET)
    lister = RolloutLister(request.user, query)
    found = lister.rows()
    groups = [(name, label, [row for row in found.rows if row.group == name]) for name, label in GROUPS.items()]
    values = {
        "nav_item": "rollouts",
        "query": query,
        "words": query.words,
        "chips": [] if request.htmx else lister.chips(),
        "groups": [group for group in groups if group[2]],
        "is_live": any(row.group != "finished" for row in found.rows),
        "total": Rollout.objects.of(request.user).count(),
        "artifacts": Artifact.objects.count(),
        "previous": query.address(page=query.page - 1) if query.page else "",
        "next": query.address(page=query.page + 1) if found.has_next else "",
        "may_run": access.may(request.user, Permission.RUN_ROLLOUTS),
    }
    return render(request, "rollouts/rollouts.html#list" if request.htmx else "rollouts/rollouts.html", values)
