"""The browsers in which a person is signed in: end one, or all but this one."""

from typing import NamedTuple, Self

from allauth.usersessions.models import UserSession
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_POST

from tms.accounts.decorators import AuthenticatedRequest
from tms.accounts.factors.confirmation import recently_signed_in
from tms.accounts.sessions import browsers, user_agent
from tms.accounts.sessions.store import stored_key


class BrowserRow(NamedTuple):
    session: UserSession
    name: str
    is_mobile: bool
    is_this: bool

    @classmethod
    def of(cls, session: UserSession, *, key: str) -> Self:
        agent = session.user_agent
        return cls(session, user_agent.described(agent), user_agent.is_mobile(agent), session.session_key == key)


def browser_rows(request: AuthenticatedRequest) -> list[BrowserRow]:
    """This browser first."""
    key = stored_key(request.session.session_key)
    rows = [BrowserRow.of(session, key=key) for session in browsers.browsers_of(request.user)]
    return sorted(rows, key=lambda row: not row.is_this)


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
    return [row.session for row in browser_rows(request) if not row.is_this]


def _back() -> HttpResponse:
    return redirect(f"{resolve_url('me')}?saved=sessions#sessions")
