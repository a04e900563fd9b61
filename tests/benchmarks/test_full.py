"""A tiny run of the benchmark of a large fleet: it checks that it works; its figures mean nothing."""

from pathlib import Path

import pytest

from tests.benchmarks.measuring import measure

FIGURES = {"P9", "P9 drops", "P9 memory", "P9 killed", "P9 restarted"}


@pytest.mark.services
def test_a_fleet_stays_connected_while_processes_are_killed_and_no_acknowledged_report_is_lost(tmp_path: Path):
    run = measure("benchmarks.full", tmp_path / "full.json")

    figures = run.systems["tms-daphne"]
    assert figures.keys() == FIGURES
    assert figures["P9"].value == 20
    assert figures["P9"].details["acknowledged, not committed"] == 0
    assert figures["P9 killed"].details["lost"] == figures["P9 killed"].details["back"]
    assert [point["terminals"] for point in run.curve] == [10, 20, 40]
    assert run.notes == ["nothing stopped it up to 40 terminals"]
