"""Django's session stores, with Redis as a cache if there is one. They ignore keys that no session can have."""

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING or not settings.REDIS_URL:
    from django.contrib.sessions.backends.db import SessionStore as Backend
else:
    from django.contrib.sessions.backends.cached_db import SessionStore as Backend

LEAST = 8
"""As in Django."""


class SessionStore(Backend):
    def _validate_session_key(self, key: str | None) -> bool:
        """Keys are letters and digits. A cookie may contain anything, such as U+0000, which PostgreSQL rejects."""
        return key is not None and len(key) >= LEAST and key.isascii() and key.isalnum()
