"""End a person's own sessions in other browsers: one, or all."""

from allauth.usersessions.models import UserSession
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_POST

from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.sessions import browsers
from tms.accounts.sessions.browser_rows import browser_rows


@require_POST
@recently_signed_in
def end_session(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    rows = [row for row in _others(request) if row.pk == pk]
    if not rows:
        raise Http404
    browsers.end(rows, person=request.user)
    return _back()


@require_POST
@recently_signed_in
def end_other_sessions(request: AuthenticatedRequest) -> HttpResponse:
    browsers.end(_others(request), person=request.user)
    return _back()


def _others(request: AuthenticatedRequest) -> list[UserSession]:
    return [row.session for row in browser_rows(request.user, current=request.session) if not row.is_this]


def _back() -> HttpResponse:
    return redirect(f"{resolve_url('me')}?saved=sessions#sessions")
