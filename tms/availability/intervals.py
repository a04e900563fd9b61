"""Intervals of whole seconds since the epoch, from the first second to before the last. Pure.

A list of them is sorted, and none touches the next; every function returns such a list.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Interval(NamedTuple):
    since: int
    until: int


type Intervals = Sequence[Interval]


def second_of(at: datetime) -> int:
    """Rounded down, so that adjacent intervals stay adjacent."""
    return (at - EPOCH) // SECOND


def instant_of(second: int) -> datetime:
    return EPOCH + second * SECOND


def merge(intervals: Iterable[tuple[int, int]]) -> list[Interval]:
    """The union. Empty ones are left out."""
    found: list[Interval] = []
    for since, until in sorted(intervals):
        if since >= until:
            continue
        if found and since <= found[-1].until:
            found[-1] = Interval(found[-1].since, max(found[-1].until, until))
        else:
            found.append(Interval(since, until))
    return found


def overlap(one: Intervals, two: Intervals) -> list[Interval]:
    """What both have, in linear time."""
    found: list[Interval] = []
    left, right = 0, 0
    while left < len(one) and right < len(two):
        since = max(one[left].since, two[right].since)
        until = min(one[left].until, two[right].until)
        if since < until:
            found.append(Interval(since, until))
        if one[left].until <= two[right].until:
            left += 1
        else:
            right += 1
    return found


def without(one: Intervals, two: Intervals) -> list[Interval]:
    """What only the first has, in linear time."""
    found: list[Interval] = []
    right = 0
    for since, until in one:
        while right < len(two) and two[right].until <= since:
            right += 1
        at, reached = right, since
        while at < len(two) and two[at].since < until:
            if reached < two[at].since:
                found.append(Interval(reached, two[at].since))
            reached = max(reached, two[at].until)
            at += 1
        if reached < until:
            found.append(Interval(reached, until))
    return found


def length(intervals: Intervals) -> int:
    """The sum of the intervals in seconds."""
    return sum(until - since for since, until in intervals)
