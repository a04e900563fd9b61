"""The browsers in which a person is signed in, as django-allauth records them, and ending them."""

from collections.abc import Callable, Collection
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.sessions.signed_in import signed_in

sessions_ended = Signal()
"""Sent in the transaction that ends sessions of `user`."""


def browsers_of(person: User) -> list[UserSession]:
    """Where the person is signed in, seen last first."""
    rows = list(UserSession.objects.filter(user=person).order_by("-last_seen_at", "-pk"))
    valid = signed_in([row.session_key for row in rows], at=timezone.now())
    return [row for row in rows if row.session_key in valid]


@transaction.atomic
def end(rows: Collection[UserSession], *, person: User) -> None:
    """Sign these browsers out. Their boards close at once."""
    for row in rows:
        recorder.record("session-ended", person, {"address": (row.ip, None), "browser": (row.user_agent[:200], None)})
        row.end()
        # Once more, because another request may have cached it before the commit.
        transaction.on_commit(_deletion_of(row.session_key))
    if rows:
        sessions_ended.send(sender=UserSession, user=person)


def _deletion_of(key: str) -> Callable[[], None]:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    return lambda: store.delete(key)
