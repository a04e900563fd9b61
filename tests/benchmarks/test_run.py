"""A tiny run of the benchmarks: that they still measure, not what. Its figures mean nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORTING = ("P2", "P3", "P5")


@pytest.mark.services
def test_a_run_measures_every_figure_of_both_systems_and_loses_nothing(tmp_path: Path):
    kept = tmp_path / "run.json"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--keep", str(kept)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    systems = json.loads(kept.read_text())["systems"]
    assert {name: sorted(figures) for name, figures in systems.items()} == {
        "tms": ["P1", "P2", "P3", "P4", "P5"],
        "textbook": ["P1", "P2", "P3", "P4", "P5"],
    }
    for figures in systems.values():
        assert figures["P4"]["details"]["failed"] == 0
        for number in REPORTING:
            assert figures[number]["details"]["acknowledged, not committed"] == 0
            assert figures[number]["details"]["lost links"] == 0
