"""`python -m benchmarks.docs`: writes the stored runs into docs/performance.md, and draws the curve over fleet size."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.measuring.run import Run, read
from benchmarks.output.markers import fill
from benchmarks.output.report import disturbance, number, summary, table

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE, IMAGES = ROOT / "docs" / "performance.md", ROOT / "docs" / "images"
BEGIN, END = "<!-- figures: written by `python -m benchmarks.docs` -->", "<!-- end of figures -->"
CURVE = {
    "terminals": "terminals",
    "reports/s": "reports per s",
    "server µs per terminal and s": "servers, µs per terminal and s",
    "server %": "servers, %",
    "PostgreSQL %": "PostgreSQL, %",
    "Redis %": "Redis, %",
    "load %": "load, %",
    "in all GiB": "memory, GiB",
    "ack p50 ms": "ack p50, ms",
    "ack p99 ms": "ack p99, ms",
    "board p50 ms": "board p50, ms",
    "board p99 ms": "board p99, ms",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.docs", description=__doc__)
    runs = [RESULTS / f"{name}.json" for name in ("bench", "full", "soak")]
    parser.add_argument("runs", nargs="*", type=Path, default=runs, help="as `--keep` wrote them")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--images", type=Path, default=IMAGES)
    options = parser.parse_args(arguments)
    found = [read(path) for path in options.runs if path.exists()]
    options.page.write_text(with_figures(options.page.read_text(), found))
    for run in found:
        if run.curve:
            from benchmarks.output import plot  # matplotlib takes long to load

            plot.draw(run.curve, options.images)


def with_figures(page: str, runs: Sequence[Run]) -> str:
    """`page` with the text between the markers replaced."""
    figures = "\n\n".join(part for part in _parts(runs) if part)
    return fill(page, BEGIN, END, figures)


def _parts(runs: Sequence[Run]) -> Iterator[str]:
    if not runs:
        return
    whole = _merged(runs)
    yield _origin(runs)
    yield from {disturbance(run) for run in runs}
    yield summary(whole)
    yield from (f"Not measured: {what}: {why}" for what, why in whole.missing.items())
    if whole.curve:
        yield "![CPU, memory and latency over the size of the fleet](images/fleet-curve.svg)"
        yield table(list(CURVE.values()), [[number(point.get(key)) for key in CURVE] for point in whole.curve])
    yield "\n".join(f"Beyond the fleet that must be held: {note}." for note in whole.notes)


def _merged(runs: Iterable[Run]) -> Run:
    """The first run, with what only the others measured."""
    first, *rest = runs
    systems, missing = {name: dict(figures) for name, figures in first.systems.items()}, dict(first.missing)
    for run in rest:
        for name, figures in run.systems.items():
            systems[name] = dict(figures) | systems.get(name, {})
        missing = dict(run.missing) | missing
    curve = next((run.curve for run in runs if run.curve), ())
    notes = [note for run in runs for note in run.notes]
    return Run(first.began_at, first.took_s, first.machine, first.plan, systems, missing, curve, notes)


def _origin(runs: Sequence[Run]) -> str:
    machine = dict(runs[0].machine)
    commits = ", ".join(dict.fromkeys(run.machine["commit"] for run in runs))
    machine.pop("commit", None)
    began = ", ".join(f"{run.began_at[:16].replace('T', ' ')} ({run.took_s / 60:.0f} min)" for run in runs)
    return f"Measured {began} at {commits} on " + ", ".join(f"{name} {value}" for name, value in machine.items()) + "."


if __name__ == "__main__":
    main()
