"""The seconds of one terminal and day: what counts, what is excluded, what was lost and why. Pure."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tms.availability.intervals import Interval, Intervals, length, overlap, without
from tms.availability.losses import LossReason, Piece


class Tally(NamedTuple):
    counted_s: int
    excluded_s: int
    lost: dict[LossReason, int]


def disjoint(pieces: Iterable[Piece], *, within: Interval) -> Iterator[Piece]:
    """The pieces in order. Where two outages overlap, the one that began first counts."""
    reached = within.since
    for piece in sorted(pieces):
        since, until = max(piece.since, reached), min(piece.until, within.until)
        if since < until:
            reached = until
            yield Piece(since, until, piece.loss)


def tally(hours: Intervals, *, service: Interval, excluded: Intervals, pieces: Iterable[Piece]) -> Tally:
    """`hours`: when the site was open; `service`: since and until when the terminal was in service."""
    expected = overlap(hours, [service])
    counted = without(expected, excluded)
    lost: dict[LossReason, int] = {}
    for piece in disjoint(pieces, within=service):
        if seconds := length(overlap(counted, [Interval(piece.since, piece.until)])):
            lost[piece.loss] = lost.get(piece.loss, 0) + seconds
    return Tally(length(counted), length(expected) - length(counted), lost)
