"""The sessions of people: how many there are, when they were last used, and how to end them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Count, Max

from tms.accounts.models import User
from tms.accounts.sessions.store import SessionStore


class Sessions(NamedTuple):
    number: int
    seen_at: datetime | None


NONE = Sessions(0, None)


def sessions_of(people: Collection[User], *, at: datetime) -> dict[int, Sessions]:
    """The unexpired sessions of people, by primary key."""
    keys = Session.objects.filter(expire_date__gt=at).values("session_key")
    rows = UserSession.objects.filter(user__in=people, session_key__in=keys).values_list("user")
    found = rows.annotate(Count("pk"), Max("last_seen_at"))
    return {pk: Sessions(number, seen_at) for pk, number, seen_at in found}


def end_sessions(person: User, *, at: datetime) -> int:
    """End all sessions of a person, and return how many there were. Reads all sessions, so none is missed."""
    keys = [key for key, pk in _sessions(at) if pk == person.pk]
    for key in keys:
        delete = partial(SessionStore().delete_stored, key)
        delete()
        # Once more, because another request may have cached it before the commit.
        transaction.on_commit(delete)
    UserSession.objects.filter(user=person).delete()
    return len(keys)


def _sessions(at: datetime) -> Iterator[tuple[str, int]]:
    """The stored key and the person of each unexpired session."""
    for session in Session.objects.filter(expire_date__gt=at).iterator():
        if pk := session.get_decoded().get(SESSION_KEY):
            yield session.session_key, int(pk)
