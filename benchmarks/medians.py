"""`python -m benchmarks.medians RUN RUN RUN --keep PATH`: the median of each figure over several runs, as one run."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.run import Run, keep, read
from benchmarks.output.report import markdown


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.medians", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="as `--keep` wrote it")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the medians as JSON")
    options = parser.parse_args(arguments)
    combined = medians([read(path) for path in options.runs])
    if options.keep:
        keep(combined, options.keep)
    print(markdown(combined))


def medians(runs: Sequence[Run]) -> Run:
    """A figure that some of the runs lack is the median of the others; its details name the lowest and the highest."""
    names = _in_order(run.systems for run in runs)
    systems = {name: _of_system([run.systems[name] for run in runs if name in run.systems]) for name in names}
    missing = {what: why for run in runs for what, why in run.missing.items()}
    began, took_s = runs[0].began_at, sum(run.took_s for run in runs)
    machine = dict(runs[0].machine) | {"figures": f"medians of {len(runs)} runs"}
    return Run(began, took_s, machine, runs[0].plan, systems, missing)


def _of_system(figures: Sequence[Mapping[str, Measured]]) -> dict[str, Measured]:
    return {number: _of_figure([each[number] for each in figures if number in each]) for number in _in_order(figures)}


def _of_figure(measured: Sequence[Measured]) -> Measured:
    values = [one.value for one in measured if one.value is not None]
    if not values:
        return measured[0]
    details = {name: _median(one.details.get(name) for one in measured) for name in _details_of(measured)}
    counts = {what: _worst(measured, what) for what in _in_order(one.counts for one in measured)}
    spread = {"lowest": min(values), "highest": max(values)} if len(values) > 1 else {}
    return Measured(median(values), details | spread, counts)


def _details_of(measured: Sequence[Measured]) -> list[str]:
    return _in_order(one.details for one in measured)


def _worst(measured: Sequence[Measured], what: str) -> Count:
    """A figure that was incomplete once is incomplete."""
    counts = [one.counts[what] for one in measured if what in one.counts]
    return min(counts, key=lambda count: count.seen / count.expected if count.expected else 1.0)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _in_order(keyed: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for keys in keyed for key in keys))


if __name__ == "__main__":
    main()
