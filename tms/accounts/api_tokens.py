"""Tokens of the API: issue, find, rotate, revoke, and limit their rate. A token is shown once, when it is issued."""

import secrets
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction

from tms.accounts.audit import recorder
from tms.accounts.models import ApiToken, TokenScope, User
from tms.lib.hashing import hash_token
from tms.lib.token_bucket import TokenBucket

PREFIX = "tms_"
"""The prefix by which secret scanners recognise a token."""
MAX_DAYS = 3_660
MAX_TOKENS = 50
"""Valid tokens that a person may have of their own making."""
EXACT_TO = timedelta(minutes=1)


class NotRotatableError(Exception):
    """The token is no longer valid, or was rotated already."""


@transaction.atomic
def issue(
    person: User,
    *,
    name: str,
    at: datetime,
    expires_at: datetime | None = None,
    scope: TokenScope = TokenScope.FULL,
) -> tuple[ApiToken, str]:
    """A new token that acts as `person`, and its secret."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        person=person, name=name, scope=scope, digest=hash_token(secret), created_at=at, expires_at=expires_at
    )
    values = {"person": person.username, "scope": str(scope), "expires_at": str(expires_at or "")}
    recorder.record("created", token, {name: (None, value) for name, value in values.items()})
    return token, secret


@transaction.atomic
def rotate(token: ApiToken, *, at: datetime, overlap: timedelta) -> tuple[ApiToken, str]:
    """A token with the same name, scope and length of validity, and its secret. The old one is valid for `overlap`.

    Raises NotRotatableError.
    """
    old = ApiToken.objects.valid(at).filter(pk=token.pk, replaced_by=None).select_for_update(of=("self",)).first()
    if old is None:
        raise NotRotatableError
    expires_at = at + (old.expires_at - old.created_at) if old.expires_at else None
    new, secret = issue(old.person, name=old.name, at=at, expires_at=expires_at, scope=TokenScope(old.scope))
    before, old.replaced_by = old.expires_at, new
    old.expires_at = min(before or at + overlap, at + overlap)
    old.save(update_fields=["replaced_by", "expires_at"])
    recorder.record("rotated", old, {"expires_at": (str(before or ""), str(old.expires_at))})
    return new, secret


def find(secret: str, *, at: datetime) -> ApiToken | None:
    """The valid token with this secret, with its person. Records the use."""
    found = ApiToken.objects.valid(at).filter(digest=hash_token(secret)).select_related("person").first()
    if found is not None and (found.used_at is None or found.used_at < at - EXACT_TO):
        ApiToken.objects.filter(pk=found.pk).update(used_at=at)
    return found


def of_header(authorization: str, *, at: datetime) -> ApiToken | None:
    """The valid token of a request's header `Authorization: Bearer tms_…`."""
    scheme, _, secret = authorization.partition(" ")
    return find(secret.strip(), at=at) if scheme.lower() == "bearer" else None


def revoke(tokens: models.QuerySet[ApiToken], *, at: datetime) -> int:
    """Revoke these tokens, from the next request on. Returns how many were valid until now."""
    with transaction.atomic():
        valid = list(tokens.filter(revoked_at=None).select_for_update(of=("self",)))
        for token in valid:
            recorder.record("revoked", token)
        return tokens.filter(pk__in=[token.pk for token in valid]).update(revoked_at=at)


_buckets: dict[str, TokenBucket] = {}
_lock = threading.Lock()


def wait_s(token: ApiToken) -> float:
    """Count a request of the token in this process. Returns 0, or the time until the next one is allowed."""
    now = time.monotonic()
    with _lock:
        bucket = _buckets.get(token.digest) or TokenBucket(
            per_minute=settings.API_PER_MINUTE, burst=settings.API_BURST, at=now
        )
        _buckets[token.digest] = bucket
        return 0.0 if bucket.take(now) else bucket.wait_s
