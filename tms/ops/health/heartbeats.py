"""Heartbeats of background loops, in the database, where every process can read them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from tms.ops.models import Heartbeat

CLOCK = "clock"
WRITE = "write-"
"""Prefix of the rows with which the health check tests writes; one per process."""
HEARTBEAT_LATE_AFTER = timedelta(seconds=10)
UPSERT = (
    f"INSERT INTO {Heartbeat._meta.db_table} (name, node, at) VALUES (%s, %s, %s) "
    "ON CONFLICT (name) DO UPDATE SET node = excluded.node, at = excluded.at"
)
"""One statement: every process runs it every few seconds."""


def record(name: str, *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [name, settings.NODE, connection.ops.adapt_datetimefield_value(at)])


def late_by(name: str, *, at: datetime) -> timedelta | None:
    """The age of the last heartbeat of `name`; None if there is none."""
    last = Heartbeat.objects.filter(name=name).first()
    return None if last is None else at - last.at
