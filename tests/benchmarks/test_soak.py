"""What the soak concludes from its readings."""

import pytest

from benchmarks.soak.soak import Memory


def test_growth_is_the_slope_over_all_readings():
    memory = Memory(hours=[0.0, 0.25, 0.5], mib=[100.0, 101.0, 102.0])

    assert memory.growth() == pytest.approx(4.0)


def test_growth_of_memory_blocks_is_in_per_cent():
    memory = Memory(hours=[0.0, 0.5, 1.0], mib=[], blocks=[99_000.0, 100_000.0, 101_000.0])

    assert memory.growth_of_blocks() == pytest.approx(2.0)
