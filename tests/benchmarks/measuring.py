"""Runs of the benchmarks as processes."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measuring.run import Run, read
from benchmarks.systems.tms import TABLES
from tests.support.database import template_db

ROOT = Path(__file__).parents[2]


def measure(module: str, file: Path, *choice: str) -> Run:
    """A tiny run of `python -m MODULE`."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--tiny", "--keep", str(file), *choice],
        cwd=ROOT,
        env=os.environ | {TABLES: str(template_db.dump())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = read(file)
    assert run.missing == {}, (run.missing, done.stderr)
    return run
