"""Presence of one terminal over a span, as a chart needs it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.fleet.models import NEEDY_FIRST, Presence, PresenceChange, Terminal

MOST = 800
"""Stretches in one chart: no screen shows more."""


class PresenceInterval(NamedTuple):
    """A presence from one instant to another, in seconds since the epoch."""

    start: float
    end: float
    presence: str


def presences(terminal: Terminal, length: timedelta, *, at: datetime) -> list[PresenceInterval]:
    """What the link did until `at`, oldest first, without holes."""
    since = at - length
    changes = PresenceChange.objects.filter(terminal=terminal, at__lte=at)
    within = list(changes.filter(at__gt=since).order_by("at").values_list("at", "presence", "before"))
    first = within[0][2] if within else _before(terminal, since)
    marks = [(since, first), *((moment, presence) for moment, presence, _ in within)]
    ends = [moment for moment, _ in marks[1:]] + [at]
    stretches = [
        PresenceInterval(start.timestamp(), end.timestamp(), presence)
        for (start, presence), end in zip(marks, ends, strict=True)
    ]
    return condensed(stretches, least_s=length.total_seconds() / MOST) if len(stretches) > MOST else stretches


def condensed(stretches: Sequence[PresenceInterval], *, least_s: float) -> list[PresenceInterval]:
    """None but the last is shorter than `least_s`: such are one with what follows, and as bad as the worst of it."""
    told: list[PresenceInterval] = []
    for stretch in stretches:
        last = told[-1] if told else None
        if last is None or last.end - last.start >= least_s:
            told.append(stretch)
            continue
        told[-1] = PresenceInterval(last.start, stretch.end, min(last.presence, stretch.presence, key=_rank))
    return told


def _rank(presence: str) -> int:
    return NEEDY_FIRST.index(Presence(presence))


def _before(terminal: Terminal, at: datetime) -> str:
    last = PresenceChange.objects.filter(terminal=terminal, at__lte=at).order_by("-at").first()
    return last.presence if last else Presence.NEVER.value
