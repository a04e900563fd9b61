"""Work on foreign input grows no faster than its size."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.untrusted.frames import FRAMES, decoded
from tests.untrusted.made import Make, Work
from tests.untrusted.patterns import ONLY_OURS, PATTERNS, patterns, works_of_patterns
from tests.untrusted.scans import SCANS

SIZE = 1_000_000
"""Characters. Linear work on them takes half a second at most; quadratic copying takes 20 s, and other work minutes."""
ENDLESS_S = 10
"""Ends what does not end by itself, with a traceback. No duration is measured, so a busy machine changes nothing."""


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


@pytest.mark.timeout(ENDLESS_S, method="signal")
@pytest.mark.parametrize(("work", "make"), list(works()))
def test_work_on_a_million_characters_ends(work: Work, make: Make):
    work(make(SIZE))
