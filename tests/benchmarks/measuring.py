"""Runs of the benchmark as a process."""

import subprocess
import sys
from pathlib import Path

from benchmarks.run import Run, read

ROOT = Path(__file__).parents[2]


def measure(kept: Path, *choice: str) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--keep", str(kept), *choice],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = read(kept)
    assert run.missing == {}
    return run
