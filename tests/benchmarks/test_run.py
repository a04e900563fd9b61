"""A tiny run of the benchmarks: it checks that they work. Its figures mean nothing."""

import pytest

from benchmarks.measuring.run import Run
from tests.benchmarks.measuring import measure

ACKNOWLEDGED = {"P14", "P14 p99", "P14 light", "P14 light p99"}
WATCHED = {"P4 watched", "P4 watched CPU"}
OF_ALL = {"P1", "P2", "P2 boards", "P3", "P3 light", "P3 rest", "P4", "P5", "P5 p99", "P6", *ACKNOWLEDGED, *WATCHED}
OF_TMS = {"P7", "P7 growth", "P8", "P10", "P11", "P12 quiet", "P12 busy", "P12 CPU", "P13"}
PAGES = {"P7", "P7 growth", "P10"}
"""A page that fails raises an error."""
REPORTING = ("P2", "P3", "P3 light")

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All scenarios at once: their services, tables and servers are started once."""
    file = tmp_path_factory.mktemp("benchmarks") / "run.json"
    return measure("benchmarks", file, "--systems", "textbook", "tms-daphne")


@pytest.mark.parametrize(("system", "numbers"), [("textbook", OF_ALL), ("tms-daphne", OF_ALL | OF_TMS)])
def test_a_run_measures_what_a_system_can_and_loses_nothing(run: Run, system: str, numbers: set[str]):
    figures = run.systems[system]

    assert figures.keys() == numbers
    assert {number: figure.missing for number, figure in figures.items() if figure.missing} == {}
    assert {number for number, figure in figures.items() if not figure.counts} <= PAGES
    assert "messages" in figures["P6"].details  # the number in half a second depends on the machine
    for number in REPORTING:
        assert figures[number].counts["acknowledged reports committed"].expected > 0


def test_a_run_measures_alerts_and_the_cost_over_fleet_size(run: Run):
    figures = run.systems["tms-daphne"]

    assert figures["P8"].details["10: online"] == 10
    assert figures["P12 quiet"].value
