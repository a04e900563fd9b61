"""Who is still signed in. Live boards check repeatedly, because a sign-in can end while the socket is open."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from tms.accounts.models import User
from tms.accounts.sessions import activity
from tms.accounts.sessions.claims import MUST_SET_UP
from tms.accounts.sessions.store import stored_key

type Claims = Mapping[str, Mapping[str, Any]]


def signed_in(keys: Collection[str], *, at: datetime) -> Mapping[str, User]:
    """The people of the stored keys of sessions that are still valid.

    A session is invalid when it expired, was ended or not used for too long, when the person was disabled, when the
    password changed, and as long as the person has to set up a second factor.
    """
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=at)
    claims = _open({row.session_key: row.get_decoded() for row in rows}, at)
    pks = {key: int(claim.get(SESSION_KEY, 0)) for key, claim in claims.items()}
    people = User.objects.filter(is_active=True).in_bulk(set(pks.values()))
    by_key = {key: people.get(pk) for key, pk in pks.items()}
    return {
        key: person
        for key, person in by_key.items()
        if person and constant_time_compare(claims[key].get(HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    }


def is_open(session: SessionBase, *, at: datetime) -> bool:
    """Whether a session that was read is still in use. A query only if it was not used lately."""
    return bool(_open({stored_key(session.session_key): session}, at))


def _open(claims: Claims, at: datetime) -> Claims:
    idle = activity.idle(claims, at)
    return {key: claim for key, claim in claims.items() if key not in idle and not claim.get(MUST_SET_UP)}
