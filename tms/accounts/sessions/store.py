"""Django's session stores, with Redis as a cache if there is one. The key is in the cookie; TMS stores its hash."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.contrib.sessions.models import Session
from django.utils import timezone

if TYPE_CHECKING or not settings.REDIS_URL:
    from django.contrib.sessions.backends.db import SessionStore as Backend
else:
    from django.contrib.sessions.backends.cached_db import SessionStore as Backend

MIN_CHARACTERS = 8
"""The shortest key; the same as in Django."""


def stored_key(key: str | None) -> str:
    """The SHA-256 of the key of a session, as it is in every table and in Redis. Empty if the session has no key yet.

    In base 85, because the columns of Django and django-allauth have exactly its 40 characters.
    """
    return base64.b85encode(hashlib.sha256(key.encode()).digest()).decode() if key else ""


class SessionStore(Backend):
    """A session store like Django's, under the hash of the key. It ignores keys that no session can have."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Keys are letters and digits. A cookie may contain anything, such as U+0000, which PostgreSQL rejects."""
        return key is not None and len(key) >= MIN_CHARACTERS and key.isascii() and key.isalnum()

    def _get_session_from_db(self) -> Session | None:
        row = Session.objects.filter(pk=stored_key(self.session_key), expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    @property
    def cache_key(self) -> str:
        key: str = self._get_or_create_session_key()  # type: ignore[attr-defined]  # the stubs lack it
        return KEY_PREFIX + stored_key(key)

    def exists(self, session_key: str) -> bool:
        return bool(super().exists(stored_key(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        if key := stored_key(session_key or self.session_key):
            self.delete_stored(key)

    def delete_stored(self, key: str) -> None:
        """End the session of which another table has this stored key."""
        super().delete(key)

    # Those of the backends would use the key as it is; these call the methods above in a thread.
    aload, asave, acreate = SessionBase.aload, SessionBase.asave, SessionBase.acreate
    aexists, adelete = SessionBase.aexists, SessionBase.adelete
