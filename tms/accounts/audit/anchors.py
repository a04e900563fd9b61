"""Anchors of the hash chain: its state at one instant, to be kept where nobody who can edit the database can edit it.

Each is a structured line of the log, and with `TMS_AUDIT_BUCKET` an object in Amazon S3 that nobody can delete before
its retention ends (Object Lock in compliance mode).
"""

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.audit.verification import ChainAnchor
from tms.accounts.models.audit_chain import AuditDay
from tms.config import aws

log = structlog.get_logger(__name__)

EVENT = "audit_anchor"
MAX_LINE_CHARACTERS = 4_096
FIELDS = ("day", "entries", "number", "hash")


class BadAnchor(ValueError):
    """A line of the file is no anchor; the message says which and what is expected."""


def write_due(at: datetime) -> int:
    """Write an anchor of each day that has new entries since its last one, once per interval. Returns how many."""
    days = list(AuditDay.objects.not_purged().order_by("-day")[:2])
    newest = next((day.anchored_at for day in days if day.anchored_at), None)
    is_over = len(days) == 2 and days[1].anchored_entries < days[1].entries
    if not is_over and newest and at - newest < timedelta(seconds=settings.AUDIT_ANCHOR_S):
        return 0
    return sum(_write(day, at) for day in reversed(days) if _has_news(day))


def _has_news(day: AuditDay) -> bool:
    """The entry about an anchor needs no anchor of its own."""
    return day.entries > day.anchored_entries + (day.anchored_entries > 0)


def _write(day: AuditDay, at: datetime) -> bool:
    anchor = ChainAnchor(day.day, day.entries, day.next_number - 1, day.last_hash)
    log.info(EVENT, **as_json(anchor))
    if settings.AUDIT_BUCKET:
        _upload(anchor, at)
    with transaction.atomic():
        AuditDay.objects.filter(pk=day.pk).update(anchored_entries=day.entries, anchored_at=at)
        where = f"s3://{settings.AUDIT_BUCKET}" if settings.AUDIT_BUCKET else "log"
        recorder.record("anchored", day, {"entries": (None, day.entries), "to": (None, where)})
    return True


def _upload(anchor: ChainAnchor, at: datetime) -> None:
    aws.client("s3").put_object(
        Bucket=settings.AUDIT_BUCKET,
        Key=f"{settings.AUDIT_PREFIX}{anchor.day}/{anchor.entries:012}.json",
        Body=json.dumps(as_json(anchor)).encode(),
        ContentType="application/json",
        ChecksumAlgorithm="SHA256",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=at + timedelta(days=settings.AUDIT_DAYS),
    )


def as_json(anchor: ChainAnchor) -> dict[str, Any]:
    return {"day": anchor.day.isoformat(), "entries": anchor.entries, "number": anchor.number, "hash": anchor.hash}


def read(lines: Iterable[str]) -> Iterator[ChainAnchor]:
    """Anchors from lines of JSON, such as objects of the bucket or the lines of the log. Raises BadAnchor.

    What stands before the first brace of a line, such as the header of syslog, is ignored.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _read(number, line)


def _read(number: int, line: str) -> ChainAnchor:
    try:
        if len(line) > MAX_LINE_CHARACTERS:
            raise ValueError("too long")
        found = json.loads(line[line.index("{") :])
        day, entries, last, digest = (found[name] for name in FIELDS)
        return ChainAnchor(date.fromisoformat(day), int(entries), int(last), str(digest))
    except (ValueError, KeyError, TypeError, RecursionError):
        detail = 'expected JSON with "day", "entries", "number" and "hash", as in lines of the log named audit_anchor'
        raise BadAnchor(f"line {number}: {detail}") from None
