"""Prints a run as Markdown, and keeps it as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.figure import FIGURES, Better, Figure, Measured, ratio
from benchmarks.plan import Plan

OURS, BASELINE = "tms", "textbook"
UNDISTURBED = 20.0
"""Per cent of a core that other processes may take: the measuring itself is among them."""


@dataclass(frozen=True)
class Run:
    began_at: str
    took_s: float
    machine: Mapping[str, str]
    plan: Plan
    systems: Mapping[str, Mapping[str, Measured]]
    """By system and number of the figure."""


def keep(run: Run, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def markdown(run: Run) -> str:
    parts = (_summary(run), _disturbance(run), *(_details(run, number) for number in FIGURES), _machine(run))
    return "\n\n".join(part for part in parts if part)


def _summary(run: Run) -> str:
    rows = [_summary_row(run, figure) for figure in FIGURES.values()]
    return _table(("", "what", "unit", "TMS", "textbook", "TMS is better", "target", "reached"), rows)


def _summary_row(run: Run, figure: Figure) -> Sequence[str]:
    ours, theirs = (run.systems.get(name, {}).get(figure.number) for name in (OURS, BASELINE))
    sign = "≤" if figure.better is Better.LESS else "≥"
    return (
        figure.number,
        figure.title,
        figure.unit,
        _number(ours.value) if ours else "–",
        _number(theirs.value) if theirs else "–",
        f"{ratio(figure, ours=ours.value, theirs=theirs.value):.1f} ×" if ours and theirs else "–",
        f"{sign} {_number(figure.target)}",
        ("yes" if _is_reached(figure, ours.value) else "no") if ours else "–",
    )


def _is_reached(figure: Figure, value: float) -> bool:
    return value <= figure.target if figure.better is Better.LESS else value >= figure.target


def _details(run: Run, number: str) -> str:
    measured = {name: figures[number] for name, figures in run.systems.items() if number in figures}
    names = list(dict.fromkeys(name for one in measured.values() for name in one.details))
    if not names:
        return ""
    rows = [(name, *(_number(one.details.get(name)) for one in measured.values())) for name in names]
    return _table((number, *measured), rows)


def _disturbance(run: Run) -> str:
    measured = [one for figures in run.systems.values() for one in figures.values()]
    worst = max((one.details.get("others %", 0.0) for one in measured), default=0.0)
    if worst <= UNDISTURBED:
        return ""
    return (
        f"Disturbed: other processes took up to {worst:.0f} % of a core while this was measured. "
        "Rates are lower and latencies longer than this machine can do; run it again when it is idle."
    )


def _machine(run: Run) -> str:
    return ", ".join(f"{name} {value}" for name, value in run.machine.items()) + f"; took {run.took_s:.0f} s"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"
