"""A tiny run of the benchmarks: that they still measure, not what. Its figures mean nothing."""

from pathlib import Path

import pytest

from tests.benchmarks.measuring import measure

ROOT = Path(__file__).parents[2]
ACKNOWLEDGED = {"P14", "P14 p99", "P14 light", "P14 light p99"}
OF_ALL = {"P1", "P2", "P2 boards", "P3", "P3 light", "P4", "P5", "P5 p99", "P6", *ACKNOWLEDGED}
REPORTING = ("P2", "P3", "P3 light")

pytestmark = pytest.mark.services


@pytest.mark.parametrize("system", ["textbook", "tms-daphne"])
def test_a_run_measures_what_all_systems_can_and_loses_nothing(tmp_path: Path, system: str):
    scenarios = ("idle", "saturated", "steady", "light", "pixel", "fanout")

    run = measure(tmp_path / "run.json", "--systems", system, "--scenarios", *scenarios)

    figures = run.systems[system]
    assert figures.keys() == OF_ALL
    assert figures["P4"].details["failed"] == 0
    assert figures["P5"].details["never painted"] == figures["P5"].details["lost links"] == 0
    assert "messages" in figures["P6"].details  # how many in half a second is up to the machine
    for number in REPORTING:
        assert figures[number].details["acknowledged, not committed"] == 0
        assert figures[number].details["lost links"] == 0
