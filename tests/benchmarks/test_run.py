"""A tiny run of the benchmarks: it checks that they work. Its figures mean nothing."""

from pathlib import Path

import pytest

from benchmarks.measuring.run import Run
from benchmarks.running.bench import SCENARIOS
from tests.benchmarks.measuring import measure

OF_TMS = [scenario for scenario in SCENARIOS if scenario not in ("light", "returns")]
"""`light` is `steady` at a lower rate; `returns` starts the server four times, and the textbook starts sooner."""
OF_TEXTBOOK = ("saturated", "returns", "fanout")
NUMBERS = {
    *("P1", "P2", "P2 boards", "P3", "P3 rest", "P4", "P5", "P5 p99", "P6"),
    *("P7", "P7 growth", "P8", "P10", "P11", "P12 quiet", "P12 busy", "P12 CPU", "P13", "P14", "P14 p99"),
}
PAGES = {"P7", "P7 growth", "P10"}
"""A page that fails raises an error."""

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All scenarios at once: their services, tables and servers are started once."""
    file = tmp_path_factory.mktemp("benchmarks") / "run.json"
    return measure("benchmarks", file, "--systems", "tms-daphne", "--scenarios", *OF_TMS)


def test_a_run_measures_everything_and_loses_nothing(run: Run):
    figures = run.systems["tms-daphne"]

    assert figures.keys() == NUMBERS
    assert {number: figure.missing for number, figure in figures.items() if figure.missing} == {}
    assert {number for number, figure in figures.items() if not figure.counts} <= PAGES
    assert "messages" in figures["P6"].details  # the number in half a second depends on the machine
    for number in ("P2", "P3"):
        assert figures[number].counts["acknowledged reports committed"].expected > 0


def test_a_run_measures_alerts_and_the_cost_over_fleet_size(run: Run):
    figures = run.systems["tms-daphne"]

    assert figures["P8"].details["10: online"] == 10
    assert figures["P12 quiet"].value


def test_the_textbook_is_measured_by_the_same_scenarios(tmp_path: Path):
    run = measure("benchmarks", tmp_path / "run.json", "--systems", "textbook", "--scenarios", *OF_TEXTBOOK)

    figures = run.systems["textbook"]
    assert figures.keys() == {"P2", "P2 boards", "P4 watched", "P4 watched CPU", "P6"}
    assert {number: figure.missing for number, figure in figures.items() if figure.missing} == {}
    assert figures["P2"].counts["acknowledged reports committed"].expected > 0
