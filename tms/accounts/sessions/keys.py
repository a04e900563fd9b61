"""A new password gives the session in which it was set a new key. The rows that name the session get it, too."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction

from tms.accounts.models import ProviderSession


@contextmanager
def followed(session: SessionBase) -> Iterator[None]:
    """A transaction in which `session` may get a new key. It stays listed, and its provider can still end it."""
    before = session.session_key
    with transaction.atomic():
        yield
        if session.session_key != before:
            UserSession.objects.filter(session_key=before).update(session_key=session.session_key)
            ProviderSession.objects.filter(session_key=before).update(session_key=session.session_key)
