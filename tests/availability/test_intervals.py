"""Arithmetic of intervals, compared with sets of seconds."""

from hypothesis import given
from hypothesis import strategies as st

from tms.availability.intervals import Interval, length, merge, overlap, without
from tms.availability.losses import LossReason, Piece
from tms.availability.rollup.tally import tally

bounds = st.tuples(st.integers(0, 60), st.integers(0, 60))
lists = st.lists(bounds, max_size=8).map(merge)
pieces = st.lists(st.builds(Piece, st.integers(0, 60), st.integers(0, 60), st.sampled_from(LossReason)), max_size=8)


def seconds(intervals: list[Interval]) -> set[int]:
    return {second for since, until in intervals for second in range(since, until)}


def is_tidy(intervals: list[Interval]) -> bool:
    edges = [edge for interval in intervals for edge in interval]
    return edges == sorted(set(edges))


@given(st.lists(bounds, max_size=8))
def test_the_union_has_the_seconds_of_all(raw):
    found = merge(raw)

    assert seconds(found) == {second for since, until in raw for second in range(since, until)}
    assert is_tidy(found)


@given(lists, lists)
def test_overlap_and_difference_are_those_of_sets(one, two):
    both, rest = overlap(one, two), without(one, two)

    assert seconds(both) == seconds(one) & seconds(two)
    assert seconds(rest) == seconds(one) - seconds(two)
    assert is_tidy(both)
    assert is_tidy(rest)


@given(lists, lists, bounds, pieces)
def test_a_second_counts_once_and_is_lost_to_the_first_outage(hours, excluded, service, away):
    service = Interval(min(service), max(service))

    found = tally(hours, service=service, excluded=excluded, pieces=away)

    expected = seconds(hours) & seconds([service])
    counted = expected - seconds(excluded)
    lost: dict[int, LossReason] = {}
    for piece in sorted(away):
        for second in range(piece.since, piece.until):
            lost.setdefault(second, piece.loss)
    by_loss = [loss for second, loss in lost.items() if second in counted]
    assert (found.counted_s, found.excluded_s) == (len(counted), len(expected) - len(counted))
    assert found.lost == {loss: by_loss.count(loss) for loss in set(by_loss)}


@given(lists)
def test_the_length_is_the_number_of_seconds(intervals):
    assert length(intervals) == len(seconds(intervals))
