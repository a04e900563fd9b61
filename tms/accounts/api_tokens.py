"""Tokens of the API: issue, find, revoke. A token is shown once, when it is issued."""

import secrets
from datetime import datetime, timedelta

from django.db import models, transaction

from tms.accounts.audit import recorder
from tms.accounts.models import ApiToken, User
from tms.lib.hashing import hash_token

PREFIX = "tms_"
"""The prefix by which secret scanners recognise a token."""
MAX_DAYS = 3_660
EXACT_TO = timedelta(minutes=1)


@transaction.atomic
def issue(person: User, *, name: str, at: datetime, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """A new token that acts as `person`, and its secret."""
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        person=person, name=name, digest=hash_token(secret), created_at=at, expires_at=expires_at
    )
    recorder.record("created", token, {"person": (None, person.username), "expires_at": (None, str(expires_at or ""))})
    return token, secret


def find(secret: str, *, at: datetime) -> ApiToken | None:
    """The valid token with this secret, with its person. Records the use."""
    found = ApiToken.objects.valid(at).filter(digest=hash_token(secret)).select_related("person").first()
    if found is not None and (found.used_at is None or found.used_at < at - EXACT_TO):
        ApiToken.objects.filter(pk=found.pk).update(used_at=at)
    return found


def revoke(tokens: models.QuerySet[ApiToken], *, at: datetime) -> int:
    """Revoke these tokens, from the next request on. Returns how many were valid until now."""
    with transaction.atomic():
        valid = list(tokens.filter(revoked_at=None).select_for_update(of=("self",)))
        for token in valid:
            recorder.record("revoked", token)
        return tokens.filter(pk__in=[token.pk for token in valid]).update(revoked_at=at)
