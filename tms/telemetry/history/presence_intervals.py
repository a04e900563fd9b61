"""Presence intervals of one terminal within a period, for its chart."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.fleet.models import BY_URGENCY, Presence, PresenceChange, Terminal

MAX_INTERVALS = 800
"""Intervals in one chart; more would be narrower than a pixel."""


class PresenceInterval(NamedTuple):
    """One presence from `start` to `end`, in seconds since the epoch."""

    start: float
    end: float
    presence: str


def presences(terminal: Terminal, length: timedelta, *, at: datetime) -> list[PresenceInterval]:
    """The presence intervals of the period before `at`, oldest first, without gaps."""
    since = at - length
    changes = PresenceChange.objects.filter(terminal=terminal, at__lte=at)
    within = list(changes.filter(at__gt=since).order_by("at").values_list("at", "presence", "before"))
    first = within[0][2] if within else _before(terminal, since)
    marks = [(since, first), *((moment, presence) for moment, presence, _ in within)]
    ends = [moment for moment, _ in marks[1:]] + [at]
    intervals = [
        PresenceInterval(start.timestamp(), end.timestamp(), presence)
        for (start, presence), end in zip(marks, ends, strict=True)
    ]
    return (
        condensed(intervals, min_length_s=length.total_seconds() / MAX_INTERVALS)
        if len(intervals) > MAX_INTERVALS
        else intervals
    )


def condensed(intervals: Sequence[PresenceInterval], *, min_length_s: float) -> list[PresenceInterval]:
    """Merge intervals until each but the last lasts `min_length_s`. A merged interval has the worst presence."""
    merged: list[PresenceInterval] = []
    for interval in intervals:
        last = merged[-1] if merged else None
        if last is None or last.end - last.start >= min_length_s:
            merged.append(interval)
            continue
        merged[-1] = PresenceInterval(last.start, interval.end, min(last.presence, interval.presence, key=_rank))
    return merged


def _rank(presence: str) -> int:
    return BY_URGENCY.index(Presence(presence))


def _before(terminal: Terminal, at: datetime) -> str:
    last = PresenceChange.objects.filter(terminal=terminal, at__lte=at).order_by("-at").first()
    return last.presence if last else Presence.NEVER.value
