"""Reads the rows of a source that are new, each once.

Keys are given in another order than rows are committed. A key below the position without a row is a gap, and is looked
for until every transaction that could commit it is over. On SQLite one transaction writes at a time: it has none.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import structlog
from django.db import connection
from django.db.models import Max, Q

from tms.notifications.fleet_events.sources import EventSource
from tms.notifications.models.event_cursor import EventCursor

log = structlog.get_logger(__name__)

PASS_LIMIT = 5_000
"""Rows of a source in one pass."""
MAX_GAPS = 200
"""More are forgotten, the oldest first."""


class Gap(NamedTuple):
    first: int
    last: int
    horizon: int | None


class Horizon(NamedTuple):
    """Transactions below `oldest` are over; those from `next` on have not begun."""

    oldest: int
    next: int


def start(source: EventSource) -> EventCursor:
    """A cursor at the end: what is committed from now on is new."""
    newest = source.rows().aggregate(newest=Max(source.key))["newest"] or 0
    return EventCursor(source=source.name, position=newest)


def read(source: EventSource, cursor: EventCursor) -> list[Any]:
    """The new rows, ordered by key; moves the cursor past them without saving it. Call it in a transaction."""
    horizon = current_horizon() if source.has_gaps else None
    gaps = [Gap(*each) for each in cursor.gaps]
    wanted = reduce(or_, (_within(source, gap) for gap in gaps), Q(**{f"{source.key}__gt": cursor.position}))
    rows = list(source.rows().filter(wanted).order_by(source.key)[:PASS_LIMIT])
    keys = [getattr(row, source.key) for row in rows]
    reached = max([cursor.position, *keys])
    if horizon is not None:
        is_complete = len(rows) < PASS_LIMIT
        kept = [gap for gap in gaps if not (is_complete and gap.horizon is not None and gap.horizon <= horizon.oldest)]
        found = [*kept, Gap(cursor.position + 1, reached, None)]
        cursor.gaps = _bounded(source, _aged(_without(found, keys), horizon, gaps))
    cursor.position = reached
    return rows


def current_horizon() -> Horizon | None:
    """None where only one transaction writes at a time. Read it before the rows."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
        )
        return Horizon(*cursor.fetchone())


def _within(source: EventSource, gap: Gap) -> Q:
    return Q(**{f"{source.key}__range": (gap.first, gap.last)})


def _aged(gaps: Iterable[Gap], horizon: Horizon, before: Collection[Gap]) -> Iterator[Gap]:
    """Gaps that were there in the pass before get their horizon: a key may be taken a moment before its transaction
    counts as begun.
    """
    last_known = max((gap.last for gap in before), default=0)
    for gap in gaps:
        is_known = gap.horizon is None and gap.last <= last_known
        yield gap._replace(horizon=horizon.next) if is_known else gap


def _without(gaps: Iterable[Gap], keys: Collection[int]) -> Iterator[Gap]:
    """What remains of the gaps without these keys, which are ordered."""
    remaining = iter(sorted(keys))
    key = next(remaining, None)
    for gap in gaps:
        first = gap.first
        while key is not None and key <= gap.last:
            if key > first:
                yield Gap(first, key - 1, gap.horizon)
            first, key = max(first, key + 1), next(remaining, None)
        if first <= gap.last:
            yield Gap(first, gap.last, gap.horizon)


def _bounded(source: EventSource, gaps: Iterable[Gap]) -> list[Gap]:
    kept = list(gaps)
    if len(kept) > MAX_GAPS:
        log.warning("fleet_events_gaps_forgotten", source=source.name, gaps=len(kept) - MAX_GAPS)
    return kept[-MAX_GAPS:]
