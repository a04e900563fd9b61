"""Signs of life of background loops, kept where every process can read them."""

from datetime import datetime, timedelta

from django.conf import settings

from tms.ops.models import Beat

CLOCK = "clock"
WRITE = "write-"
"""Before what health writes to see whether anything can be written; a row for each process."""
LATE = timedelta(seconds=10)


def record(name: str, *, at: datetime) -> None:
    Beat.objects.update_or_create(name=name, defaults={"node": settings.NODE, "at": at})


def late_by(name: str, *, at: datetime) -> timedelta | None:
    """How long ago `name` gave its last sign of life; None when it never did."""
    last = Beat.objects.filter(name=name).first()
    return None if last is None else at - last.at
