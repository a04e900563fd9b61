"""Makes snapshots, so that no replay reads the changes of more than `MAX_INTERVAL`, or many more than `MAX_CHANGES`.

New ones are made after the newest, and older ones before the oldest, until the start of the history: after an upgrade
the history of a year is covered within hours.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from tms.fleet.models import PresenceChange
from tms.replay.models import Snapshot
from tms.replay.state import Moment, earliest
from tms.telemetry.storage.retention import history_horizon

SETTLED = timedelta(minutes=10)
"""Changes of an instant are committed by then, also if the database was away for a while."""
MAX_INTERVAL = timedelta(hours=6)
MAX_CHANGES = 20_000
PER_PASS = 20
"""Snapshots in one pass of the clock, in each direction."""


def advance(at: datetime) -> int:
    """One pass of the clock. Returns how many snapshots were made."""
    Snapshot.objects.filter(at__lt=history_horizon(at)).delete()
    until = at - SETTLED
    made = 0
    if not Snapshot.objects.exists():
        make(until, now=at)
        made = 1
    since = earliest(at)
    return made + _repeat(lambda: _next(until), now=at) + _repeat(lambda: _previous(since), now=at)


def make(instant: datetime, *, now: datetime) -> None:
    """A snapshot, from the nearest one. Idempotent."""
    moment = Moment(instant, now=now)
    made = Snapshot.of(instant, moment.presences, [row.pk for row in moment.facts])
    Snapshot.objects.get_or_create(at=instant, defaults={"content": made.content})


def _repeat(due: Callable[[], datetime | None], *, now: datetime) -> int:
    for number in range(PER_PASS):
        instant = due()
        if instant is None:
            return number
        make(instant, now=now)
    return PER_PASS


def _next(until: datetime) -> datetime | None:
    """When the next snapshot after the newest is due; None if that is later than `until`."""
    newest = Snapshot.objects.order_by("-at").values_list("at", flat=True)[0]
    many = _last_of_many(PresenceChange.objects.filter(at__gt=newest, at__lte=until).order_by("at"))
    due = min(filter(None, (many, newest + MAX_INTERVAL)))
    return due if due <= until else None


def _previous(since: datetime) -> datetime | None:
    """When the snapshot before the oldest is due; None if the history does not reach back to it."""
    oldest = Snapshot.objects.order_by("at").values_list("at", flat=True)[0]
    many = _last_of_many(PresenceChange.objects.filter(at__lt=oldest, at__gte=since).order_by("-at"))
    due = max(filter(None, (many, oldest - MAX_INTERVAL)))
    return due if due >= since else None


def _last_of_many(changes: QuerySet[PresenceChange]) -> datetime | None:
    return changes.values_list("at", flat=True)[MAX_CHANGES - 1 : MAX_CHANGES].first()
