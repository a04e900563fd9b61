"""Idempotent requests: a repeated request with the same `Idempotency-Key` gets the response of the first one."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tms.accounts.models import User
from tms.lib.hashing import hash_token
from tms.rest.models import IdempotencyRecord
from tms.rest.problems import ProblemError, RequestFault, unreadable

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
STORED_FOR = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""Longer than any request takes: one without a response by then has died, and changed nothing."""
KEY = re.compile(r"[!-~]{1,200}")
STORED_HEADERS = ("Content-Type", "ETag", "Location")


def idempotent(
    request: HttpRequest, do: Callable[[], HttpResponse], *, person: User, key: str, at: datetime
) -> HttpResponse:
    """Changes made by `do` are committed together with the stored response, or not at all. Responses of 500 and more
    are not stored.
    """
    record = _begin(person, _checked(key), _fingerprint(request), at)
    if record.status is not None:
        return _replay(record)
    try:
        with transaction.atomic():
            answer = do()
            if is_idempotent := answer.status_code < 500:
                _store(record, answer)
            else:
                transaction.set_rollback(True)
    except BaseException:
        record.delete()
        raise
    if not is_idempotent:
        record.delete()
    return answer


def expired(at: datetime) -> QuerySet[IdempotencyRecord]:
    """Expired responses (index: answer_begun)."""
    return IdempotencyRecord.objects.filter(begun_at__lt=at - STORED_FOR)


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise unreadable(RequestFault(HEADER, "must be 1 to 200 visible ASCII characters without spaces"))
    return key


def _fingerprint(request: HttpRequest) -> str:
    return hash_token(f"{request.method} {request.get_full_path()} {request.body.decode(errors='surrogateescape')!r}")


def _begin(person: User, key: str, fingerprint: str, at: datetime) -> IdempotencyRecord:
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(person=person, key=key, fingerprint=fingerprint, begun_at=at)
    except IntegrityError:
        record = IdempotencyRecord.objects.get(person=person, key=key)
    if record.fingerprint != fingerprint:
        raise ProblemError(
            422, "tms:key-reused", "this key was used for a different request; use a new key for each request"
        )
    abandoned = IdempotencyRecord.objects.abandoned(at - LEASE).filter(pk=record.pk)
    if record.status is None and not abandoned.update(begun_at=at):
        detail = "the same request is in progress; try again shortly"
        raise ProblemError(409, "tms:in-flight", detail, headers={"Retry-After": "1"})
    return record


def _store(record: IdempotencyRecord, answer: HttpResponse) -> None:
    record.headers = {name: answer[name] for name in STORED_HEADERS if name in answer}
    record.status, record.body = answer.status_code, answer.content.decode()
    record.save(update_fields=("status", "headers", "body"))


def _replay(record: IdempotencyRecord) -> HttpResponse:
    return HttpResponse(record.body, status=record.status, headers={**record.headers, REPLAYED: "true"})
