"""Idempotent requests: a repeated request with the same `Idempotency-Key` gets the response of the first one."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tms.accounts.models import User
from tms.lib.hashing import hash_token
from tms.rest_base.models import IdempotencyRecord
from tms.rest_base.problems import ProblemError, RequestFault, unreadable

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
    record = _begin(person, _check(key), _fingerprint(request), at)
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
        _running(record).delete()
        raise
    if not is_idempotent:
        _running(record).delete()
    return answer


def expired(at: datetime) -> QuerySet[IdempotencyRecord]:
    """Expired responses (index: idempotencyrecord_begun)."""
    return IdempotencyRecord.objects.filter(begun_at__lt=at - STORED_FOR)


def _check(key: str) -> str:
    if not KEY.fullmatch(key):
        raise unreadable(RequestFault(HEADER, "must be 1 to 200 visible ASCII characters without spaces"))
    return key


def _fingerprint(request: HttpRequest) -> str:
    return hash_token(f"{request.method} {request.get_full_path()} {request.body.decode(errors='surrogateescape')!r}")


def _begin(person: User, key: str, fingerprint: str, at: datetime) -> IdempotencyRecord:
    try:
        # A savepoint: PostgreSQL would otherwise refuse every statement after a key that exists.
        with transaction.atomic():
            return IdempotencyRecord.objects.create(person=person, key=key, fingerprint=fingerprint, begun_at=at)
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(person=person, key=key).first()
    if record is None:
        raise _in_progress()  # the first request has just failed
    if record.fingerprint != fingerprint:
        raise ProblemError(
            422, "tms:key-reused", "this key was used for a different request; use a new key for each request"
        )
    abandoned = IdempotencyRecord.objects.abandoned(at - LEASE).filter(pk=record.pk)
    if record.status is None:
        # Only one of several repetitions takes over a request that seems dead.
        if not abandoned.update(begun_at=at):
            raise _in_progress()
        record.begun_at = at
    return record


def _in_progress() -> ProblemError:
    detail = "the same request is in progress; try again shortly"
    return ProblemError(409, "tms:in-flight", detail, headers={"Retry-After": "1"})


def _running(record: IdempotencyRecord) -> QuerySet[IdempotencyRecord]:
    """The record of the request that runs; empty if another request took it over, because this one seemed dead."""
    return IdempotencyRecord.objects.filter(pk=record.pk, begun_at=record.begun_at, status=None)


def _store(record: IdempotencyRecord, answer: HttpResponse) -> None:
    """Raises ProblemError if another request took it over: this one must change nothing."""
    headers = {name: answer[name] for name in STORED_HEADERS if name in answer}
    if not _running(record).update(status=answer.status_code, headers=headers, body=answer.content.decode()):
        raise _in_progress()


def _replay(record: IdempotencyRecord) -> HttpResponse:
    return HttpResponse(record.body, status=record.status, headers={**record.headers, REPLAYED: "true"})
