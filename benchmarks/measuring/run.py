"""A run: its figures and machine. Stored as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.measuring.figure import Measured


@dataclass(frozen=True)
class Run:
    began_at: str
    took_s: float
    machine: Mapping[str, str]
    plan: Any
    systems: Mapping[str, Mapping[str, Measured]]
    """Measurements by system and number of the figure."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Figures that were not measured ("tms-daphne: steady"), with the reason."""
    curve: Sequence[Mapping[str, float | None]] = ()
    """The figures of a growing fleet for each size."""
    notes: Sequence[str] = ()


def keep(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def read(path: Path) -> Run:
    return msgspec.json.decode(path.read_bytes(), type=Run)
