"""`python -m benchmarks.full`: a large fleet, killed processes, and the maximum fleet size."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.full.measure import measure
from benchmarks.full.plan import TINY, FullPlan
from benchmarks.measuring.run import keep
from benchmarks.output import report


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    named = {name: getattr(options, name) for name in ("terminals", "minutes", "most", "nodes")}
    plan = replace(TINY if options.tiny else FullPlan(), **{name: value for name, value in named.items() if value})
    run = measure(plan)
    if options.keep:
        keep(run, options.keep)
    print(report.markdown(run))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a look whether everything works; its figures mean nothing")
    parser.add_argument("--terminals", type=int, help=f"to hold; {FullPlan.terminals:,} by default")
    parser.add_argument("--minutes", type=float, help=f"to hold them; {FullPlan.minutes} by default")
    parser.add_argument("--most", type=int, help=f"to go on to; {FullPlan.most:,} by default")
    parser.add_argument("--nodes", type=int, help=f"server processes; {FullPlan.nodes} by default")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
