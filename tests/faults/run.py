"""A run: its findings, machine and commit. Stored as JSON."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from benchmarks.running.machine import commit
from tests.faults.fault import Finding

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Run:
    began_at: datetime
    took_s: float
    machine: str
    commit: str
    findings: Sequence[Finding]


def recorded(findings: Sequence[Finding], *, began_at: datetime, took_s: float) -> Run:
    machine = f"{len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}"
    return Run(began_at, took_s, machine, commit(), findings)


def keep(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def read(path: Path) -> Run:
    return msgspec.json.decode(path.read_bytes(), type=Run)
