"""When a session was last used, its end after a time without use, and its end in any case.

An open live board counts as use: a control room watches boards for hours without a click. What ends are the sessions of
closed browsers.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tms.accounts.sessions.claims import SEEN_AT
from tms.accounts.sessions.keys import list_browser
from tms.accounts.sessions.store import stored_key

ACCURACY_S = 60


class ActivityMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session:
            check(request, timezone.now())
        return self.get_response(request)


def check(request: HttpRequest, at: datetime) -> None:
    """End the session at its time, or if it was not used for too long; otherwise note once a minute that it is used."""
    session, key = request.session, stored_key(request.session.session_key)
    if session.get_expiry_date() <= at:
        logout(request)
        return
    if SEEN_AT not in session:  # a program made it: no sign-in began it
        list_browser(request)
        begin(None, request)
    elif at.timestamp() - session[SEEN_AT] < ACCURACY_S:
        return
    elif idle({key: session}, at):
        logout(request)
        return
    stamp(session, at)
    touch([key], at=at)


def begin(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """Begin a session at sign-in. Use does not extend it: its end is stored now."""
    stamp(request.session, at := timezone.now())
    request.session.set_expiry(at + timedelta(seconds=settings.SESSION_COOKIE_AGE))


def stamp(session: Any, at: datetime) -> None:
    session[SEEN_AT] = int(at.timestamp())


def idle(sessions: Mapping[str, Any], at: datetime) -> set[str]:
    """The stored keys of those in which, for the time limit, no page was opened and no board was open."""
    if not settings.IDLE_S:
        return set()
    since = at - timedelta(seconds=settings.IDLE_S)
    old = {key for key, session in sessions.items() if session.get(SEEN_AT, since.timestamp()) < since.timestamp()}
    if not old:
        return set()
    used = UserSession.objects.filter(session_key__in=old, last_seen_at__gt=since)
    return old - set(used.values_list("session_key", flat=True))


def touch(keys: Collection[str], *, at: datetime) -> None:
    """The sessions are in use."""
    UserSession.objects.filter(session_key__in=keys).update(last_seen_at=at)
