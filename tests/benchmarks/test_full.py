"""A tiny run of what holds a large fleet: that it still measures, not what."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.run import read

ROOT = Path(__file__).parents[2]
HELD = {"P9", "P9 drops", "P9 memory", "P9 killed", "P9 restarted"}


@pytest.mark.services
def test_a_fleet_is_held_while_processes_are_killed_and_nothing_acknowledged_is_lost(tmp_path: Path):
    kept = tmp_path / "full.json"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.full", "--tiny", "--keep", str(kept)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    run = read(kept)
    figures = run.systems["tms-daphne"]
    assert figures.keys() == HELD
    assert figures["P9"].value == 20
    assert figures["P9"].details["acknowledged, not committed"] == 0
    assert figures["P9 killed"].details["lost"] == figures["P9 killed"].details["back"]
    assert [point["terminals"] for point in run.curve] == [10, 20, 40]
    assert run.notes == ["nothing stopped it up to 40 terminals"]
