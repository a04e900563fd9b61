"""A tiny run of the soak: it checks that it works; its figures mean nothing."""

from pathlib import Path

import pytest

from benchmarks.soak.soak import Memory
from tests.benchmarks.measuring import measure


@pytest.mark.services
def test_links_break_and_reconnect_while_memory_is_read(tmp_path: Path):
    run = measure("benchmarks.soak", tmp_path / "soak.json")

    figure = run.systems["tms-daphne"]["growth"]
    assert figure.counts["terminals back"].expected > 0
    assert figure.counts["acknowledged reports committed"].expected > 0
    assert figure.missing == {}
    assert {
        "node-1 MiB an hour",
        "node-2 MiB an hour",
        "clock MiB an hour",
        "node-1 blocks, % an hour",
    } <= figure.details.keys()


def test_growth_is_the_slope_over_all_readings():
    memory = Memory(hours=[0.0, 0.25, 0.5], mib=[100.0, 101.0, 102.0])

    assert memory.growth() == pytest.approx(4.0)


def test_growth_of_memory_blocks_is_in_per_cent():
    memory = Memory(hours=[0.0, 0.5, 1.0], mib=[], blocks=[99_000.0, 100_000.0, 101_000.0])

    assert memory.growth_of_blocks() == pytest.approx(2.0)
