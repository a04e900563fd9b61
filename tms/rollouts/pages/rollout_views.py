"""The page of a rollout."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.rollouts.models import Rollout


@require_safe
@never_cache
@sign_in_required
def rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Rollout.objects.of(request.user).select_related("started_by", "version"), pk=pk)
    return render(request, "rollouts/rollout.html", {"nav_item": "rollouts", "rollout": found})
