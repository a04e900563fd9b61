"""The rows that name a session by its stored key. They follow when a new password gives the session a new key."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from tms.accounts.models import ProviderSession
from tms.accounts.sessions.store import stored_key


class _Stored(NamedTuple):
    """A session as django-allauth may know it."""

    session_key: str


def list_browser(request: HttpRequest) -> None:
    """Called at each sign-in, when the session has its key."""
    session = _Stored(stored_key(request.session.session_key))
    UserSession.objects.create_from_request(request, session=session)


@contextmanager
def follow(session: SessionBase) -> Iterator[None]:
    """A transaction in which `session` may get a new key. It stays listed, and its provider can still end it."""
    before = session.session_key
    with transaction.atomic():
        yield
        if session.session_key != before:
            old, new = stored_key(before), stored_key(session.session_key)
            UserSession.objects.filter(session_key=old).update(session_key=new)
            ProviderSession.objects.filter(session_key=old).update(session_key=new)
