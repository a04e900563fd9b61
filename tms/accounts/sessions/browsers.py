"""The browsers in which a person is signed in, as django-allauth records them, and ending them."""

from collections.abc import Collection
from functools import partial

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.accounts.sessions.signed_in import signed_in
from tms.accounts.sessions.store import SessionStore

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
        delete = partial(SessionStore().delete_stored, row.session_key)
        delete()
        row.delete()
        # Once more, because another request may have cached it before the commit.
        transaction.on_commit(delete)
    if rows:
        sessions_ended.send(sender=UserSession, user=person)
