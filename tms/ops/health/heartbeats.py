"""Heartbeats of background loops, in the database, where every process can read them."""

from datetime import datetime, timedelta

from django.conf import settings

from tms.ops.models import Heartbeat

CLOCK = "clock"
WRITE = "write-"
"""Prefix of the rows with which the health check tests writes; one per process."""
LATE = timedelta(seconds=10)


def record(name: str, *, at: datetime) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"node": settings.NODE, "at": at})


def late_by(name: str, *, at: datetime) -> timedelta | None:
    """The age of the last heartbeat of `name`; None if there is none."""
    last = Heartbeat.objects.filter(name=name).first()
    return None if last is None else at - last.at
