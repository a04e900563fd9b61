"""Work on foreign input grows no faster than its size."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.untrusted.frames import FRAMES, decoded
from tests.untrusted.made import Make, Work
from tests.untrusted.patterns import ONLY_OURS, PATTERNS, patterns, works_of_patterns
from tests.untrusted.scans import SCANS

FIRST, MAX_SIZE = 1_000, 1_000_000
"""Characters."""
MEASURABLE_S = 0.002
MOST_RATIO = 3.0
"""Ratio of the work for twice the input: 2 if it is linear, 4 if it is quadratic."""
REPEATS = (1, 5, 5, 5)
"""How often the larger input is measured in each attempt: most times the first one is clear already."""
LEAST_REPEATS = 3
"""The number of runs of the smaller input: if it took too long, the ratio would be too small."""


def works() -> Iterator[Any]:
    for name, (work, makes) in SCANS.items():
        for number, make in enumerate(makes):
            yield pytest.param(work, make, id=f"{name}-{number}")
    for name, make in FRAMES.items():
        yield pytest.param(decoded, make, id=name)
    for name, work, make in works_of_patterns():
        yield pytest.param(work, make, id=name)


def test_every_regular_expression_is_listed():
    found, listed = set(patterns()), PATTERNS.keys() | ONLY_OURS.keys()

    assert not found - listed, f"say in tests/untrusted/patterns.py what is worst for {sorted(found - listed)}"
    assert not listed - found, f"tests/untrusted/patterns.py lists what is gone: {sorted(listed - found)}"


@pytest.mark.parametrize(("work", "make"), list(works()))
def test_work_at_most_triples_when_the_input_doubles(work: Work, make: Make):
    size = measurable_size(work, make)
    if size >= MAX_SIZE:
        return  # a million characters cost next to nothing

    ratios = []
    for repeats in REPEATS:
        ratios.append(ratio(work, make, size, repeats))
        if ratios[-1] <= MOST_RATIO:
            return

    pytest.fail(f"from {size} to {2 * size} characters it takes {ratios} times as long")


def ratio(work: Work, make: Make, size: int, repeats: int) -> float:
    smaller = seconds(work, make(size), repeats=max(repeats, LEAST_REPEATS))
    return seconds(work, make(2 * size), repeats=repeats) / smaller


def measurable_size(work: Work, make: Make) -> int:
    """The smallest size that takes long enough to be measured: an explosion shows at small sizes."""
    size = FIRST
    while size < MAX_SIZE and seconds(work, make(size), repeats=2) < MEASURABLE_S:
        size *= 2
    return size


def seconds(work: Work, given: Any, *, repeats: int) -> float:
    """The minimum CPU time: other activity on the machine cannot shorten it."""
    return min(_seconds_once(work, given) for _ in range(repeats)) + 1e-6


def _seconds_once(work: Work, given: Any) -> float:
    began = time.thread_time()
    work(given)
    return time.thread_time() - began
