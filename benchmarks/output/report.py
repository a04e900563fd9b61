"""Formats a run as Markdown."""

import math
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.measuring.figure import FIGURES, Better, Count, Figure, Measured
from benchmarks.measuring.run import Run

BASELINE = "textbook"
OURS = "tms-"
"""How the name of each TMS begins; the other systems are there for comparison."""
UNDISTURBED = 20.0
"""The share of a core, in per cent, that other processes may use, including the measuring process."""


def markdown(run: Run) -> str:
    details = (details_of(run, number) for number in FIGURES)
    return "\n\n".join(
        part for part in (summary(run), disturbance(run), missing(run), *run.notes, *details, machine(run)) if part
    )


def summary(run: Run) -> str:
    """The targets, and the figures of each system; without figures that were not measured."""
    head = ["", "what", "unit", "target"]
    for name in _ours(run):
        head += [name, "reached", *(["better"] if BASELINE in run.systems else [])]
    rows = [list(_summary_row(run, figure)) for figure in FIGURES.values() if _is_measured(run, figure)]
    return table([*head, *_others(run)], rows)


def _ours(run: Run) -> list[str]:
    return [name for name in run.systems if name.startswith(OURS)]


def _others(run: Run) -> list[str]:
    return [name for name in run.systems if not name.startswith(OURS)]


def _is_measured(run: Run, figure: Figure) -> bool:
    return any(figure.number in figures for figures in run.systems.values())


def _summary_row(run: Run, figure: Figure) -> Iterator[str]:
    theirs = _value(run, BASELINE, figure)
    yield from (figure.number, figure.title, figure.unit, _target(figure))
    for name in _ours(run):
        value = _value(run, name, figure)
        ratio = _ratio(figure, value, theirs)
        yield _bounded(run, name, figure)
        yield _reached(
            _missing(run, name, figure), figure, value, ratio, _ratio(figure, value, _value(run, figure.peer, figure))
        )
        if BASELINE in run.systems:
            yield "–" if ratio is None else f"{ratio:,.1f} ×"
    yield from (_bounded(run, name, figure) for name in _others(run))


def _ratio(figure: Figure, ours: float | None, theirs: float | None) -> float | None:
    return None if ours is None or theirs is None else figure.ratio(ours=ours, theirs=theirs)


def _reached(
    missing: Mapping[str, Count], figure: Figure, value: float | None, ratio: float | None, peer_ratio: float | None
) -> str:
    if missing:
        return "no: " + ", ".join(f"{count} {what}" for what, count in missing.items())
    if value is None:
        return "–"
    if figure.peer and peer_ratio is None:
        return f"– without {figure.peer}"
    reached = "yes" if figure.is_reached(value, ratio, peer_ratio) else "no"
    return reached if peer_ratio is None else f"{reached}: {peer_ratio:.2f} × {figure.peer}"


def _bounded(run: Run, system: str, figure: Figure) -> str:
    """The value; as a bound if not all were counted."""
    value = number(_value(run, system, figure))
    if not _missing(run, system, figure) or value == "–":
        return value
    return f"{'≥' if figure.better is Better.LESS else '≤'} {value}"


def _missing(run: Run, system: str, figure: Figure) -> Mapping[str, Count]:
    measured = run.systems.get(system, {}).get(figure.number)
    return measured.missing if measured else {}


def _value(run: Run, system: str, figure: Figure) -> float | None:
    measured = run.systems.get(system, {}).get(figure.number)
    if measured is None or measured.value is None or math.isnan(measured.value):
        return None
    return measured.value


def _target(figure: Figure) -> str:
    sign = "≤" if figure.better is Better.LESS else "≥"
    if figure.peer:
        return f"{sign} {figure.peer}"
    times = f", {number(figure.times)} × textbook" if figure.times else ""
    return f"{sign} {number(figure.target)}{times}"


def details_of(run: Run, of: str) -> str:
    measured = {name: figures[of] for name, figures in run.systems.items() if of in figures}
    cells = [
        {what: str(count) for what, count in one.counts.items()}
        | {name: number(value) for name, value in one.details.items()}
        for one in measured.values()
    ]
    names = list(dict.fromkeys(name for column in cells for name in column))
    if not names:
        return ""
    return table((of, *measured), [(name, *(column.get(name, "–") for column in cells)) for name in names])


def disturbance(run: Run) -> str:
    measured = [one for figures in run.systems.values() for one in figures.values()]
    worst = max((_other_work(one) for one in measured), default=0.0)
    if worst <= UNDISTURBED:
        return ""
    return (
        f"Disturbed: other processes took up to {worst:.0f} % of a core while this was measured. "
        "Rates are lower and latencies longer than this machine can do; run it again when it is idle."
    )


def _other_work(measured: Measured) -> float:
    return measured.details.get("others %") or 0.0


def missing(run: Run) -> str:
    return "\n".join(f"Not measured: {what}: {why}" for what, why in run.missing.items())


def machine(run: Run) -> str:
    return ", ".join(f"{name} {value}" for name, value in run.machine.items()) + f"; took {run.took_s:.0f} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"
