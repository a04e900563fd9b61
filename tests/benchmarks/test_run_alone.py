"""A tiny run of what is measured of TMS alone."""

from pathlib import Path

import pytest

from tests.benchmarks.measuring import measure

pytestmark = pytest.mark.services


def test_a_run_measures_pages_alerts_a_storm_and_the_cost_over_fleet_size(tmp_path: Path):
    scenarios = ("alerts", "bulk", "pages", "scale", "storm")

    run = measure(tmp_path / "run.json", "--systems", "tms-daphne", "--scenarios", *scenarios)

    figures = run.systems["tms-daphne"]
    assert figures.keys() == {"P7", "P7 growth", "P8", "P10", "P11", "P12 quiet", "P12 busy", "P12 CPU", "P13"}
    assert figures["P8"].details["10: online"] == 10
    assert figures["P12 quiet"].value
