"""`python -m benchmarks.soak`: half an hour of a fleet whose links break and reconnect, and server memory."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring.run import keep
from benchmarks.output import report
from benchmarks.soak.measure import measure
from benchmarks.soak.plan import TINY, SoakPlan


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    plan = TINY if options.tiny else SoakPlan()
    run = measure(replace(plan, minutes=options.minutes or plan.minutes))
    if options.keep:
        keep(run, options.keep)
    print(report.markdown(run))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a look whether it works; its figures mean nothing")
    parser.add_argument("--minutes", type=float, help=f"in all; {SoakPlan.minutes} by default")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
