"""A tiny run of the benchmark of a large fleet: it checks that it works; its figures mean nothing."""

from pathlib import Path

import pytest

from benchmarks.full.fleet import FleetCounts
from benchmarks.full.hold import outage
from benchmarks.load.terminals.reconnect import Phase, Reconnect
from benchmarks.measuring.figure import Count
from tests.benchmarks.measuring import measure

FIGURES = {"P9", "P9 drops", "P9 memory", "P9 killed", "P9 restarted"}


@pytest.mark.services
def test_a_fleet_stays_connected_while_processes_are_killed_and_no_acknowledged_report_is_lost(tmp_path: Path):
    run = measure("benchmarks.full", tmp_path / "full.json")

    figures = run.systems["tms-daphne"]
    assert figures.keys() == FIGURES
    assert figures["P9"].value == 20
    assert figures["P9"].counts["acknowledged reports committed"].expected > 0
    assert figures["P9 killed"].counts["terminals back"].expected > 0
    assert {number: figure.missing for number, figure in figures.items() if figure.missing} == {}
    assert [point["terminals"] for point in run.curve] == [10, 20, 40]
    assert run.notes == ["nothing stopped it up to 40 terminals"]


def returned(lost_at: float, back_at: float, **failures: int) -> Reconnect:
    return Reconnect(lost_at, back_at, Phase.BOOT, {Phase.BOOT: back_at - lost_at}, failures)


def test_an_outage_lasts_until_the_last_terminal_is_back():
    seen = FleetCounts(lost_at=[100.0, 100.1], returned=[returned(100.0, 103.0), returned(100.1, 111.5)])

    figure = outage(seen, 100.0, broken_s=5, waited_s=12.0).measured

    assert figure.value == 11.5
    assert figure.counts == {"terminals back": Count(2, 2)}


def test_an_outage_with_a_terminal_that_is_not_back_lasts_as_long_as_the_wait():
    seen = FleetCounts(lost_at=[100.0, 100.1], returned=[returned(100.0, 103.0)])
    seen.pending[Phase.BOOT] = 1

    figure = outage(seen, 100.0, broken_s=5, waited_s=120.0).measured

    assert figure.value == 120.0
    assert figure.missing == {"terminals back": Count(1, 2)}
    assert figure.details["not back: answer to the boot"] == 1


def test_a_link_that_breaks_later_is_not_an_effect_of_the_kill():
    seen = FleetCounts(lost_at=[100.0, 106.0], returned=[returned(100.0, 103.0), returned(106.0, 107.0)])

    assert outage(seen, 100.0, broken_s=5, waited_s=8.0).measured.counts == {"terminals back": Count(1, 1)}


def test_an_outage_states_what_the_slowest_terminals_waited_for():
    quick = [returned(100.0, 101.0) for _ in range(99)]
    seen = FleetCounts(lost_at=[100.0] * 100, returned=[*quick, returned(100.0, 130.0, TimeoutError=1)])

    details = outage(seen, 100.0, broken_s=5, waited_s=31.0).measured.details

    assert details["slowest 1%: answer to the boot s"] == 30.0
    assert details["slowest 1%: attempts failed, TimeoutError"] == 1
