"""The page on which people make a rollout."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def new_rollout(request: AuthenticatedRequest) -> HttpResponse:
    return render(request, "rollouts/new.html", {"nav_item": "rollouts"})
