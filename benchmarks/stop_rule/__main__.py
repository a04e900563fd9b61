"""`python -m benchmarks.stop_rule`: how often the stop rule stops good and bad rollouts, and other rules beside it.

Each fleet is simulated hour by hour; every rule sees the same data. `--runs` sets how many good rollouts there are; of
each bad one there are a third as many.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from math import sqrt
from multiprocessing import Pool
from statistics import median

from benchmarks.output.report import table
from benchmarks.stop_rule.fleets import ROUGH
from benchmarks.stop_rule.runs import Case, Outcome, run

Z = 1.96
CASES = (
    Case("good"),
    Case("good, rough", kind=ROUGH),
    Case("restarts 0.2 → 2 a day", restarts=1.8),
    Case("leak 0.3 %/h", leak=0.3),
    Case("reader fault in 5 % more of the hours", faults=0.05),
    Case("leak 0.1 %/h", leak=0.1),
    Case("5 % of readers fail for good", broken=0.05),
    Case("restarts 0.2 → 0.4 a day", restarts=0.2),
    Case("install fails at 6 % instead of 0.6 %", install_failures=0.06),
)
SMALL_CASES = tuple(
    case._replace(name=f"30 terminals: {case.name}", terminals=30, sites=4, waves=(3, 8))
    for case in (CASES[0], *CASES[2:4])
)
OTHERS = {
    "plain threshold": "failures",
    "hawkBit": "hawkbit",
    "AWS": "aws",
    "NervesHub 2 %": "nerves_percent",
    "NervesHub 3 devices": "nerves_devices",
}
HEAD = ("rollout", "runs", "stopped", "at hour, updated", "held", *OTHERS, "twice as many as before")


def interval(number: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson."""
    share, square = number / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    spread = Z / (1 + square) * sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def percent(number: int, of: int) -> str:
    low, high = interval(number, of)
    return f"{100 * number / of:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def row(case: Case, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    stopped = [outcome for outcome in outcomes if outcome.stopped_at is not None]
    number = len(outcomes)
    when = "–"
    if len(stopped) > number / 20:
        hours = median(outcome.stopped_at or 0 for outcome in stopped)
        when = f"{hours:.0f}, {median(outcome.updated for outcome in stopped):.0f}"
    others = (
        percent(sum(getattr(one.others, field) is not None for one in outcomes), number) for field in OTHERS.values()
    )
    held = percent(sum(outcome.held for outcome in outcomes), number)
    twice = percent(sum(outcome.twice is not None for outcome in outcomes), number)
    return (case.name, str(number), percent(len(stopped), number), when, held, *others, twice)


def simulate(case: Case, runs: int, apply: Callable[..., Sequence[Outcome]]) -> Sequence[Outcome]:
    return apply(partial(run, case), range(runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    with Pool() as pool:
        rows = []
        for case in (*CASES, *SMALL_CASES):
            is_good = case.name.startswith("good")
            runs = options.runs if is_good else max(1, options.runs * 3 // 10)
            rows.append(row(case, simulate(case, runs, partial(pool.map, chunksize=5))))
            print(" | ".join(rows[-1]), flush=True)
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
