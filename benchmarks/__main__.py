"""`python -m benchmarks`: measures TMS and the textbook consumer, and prints the figures and targets."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.measuring.run import keep
from benchmarks.output import report
from benchmarks.running.bench import SCENARIOS, SYSTEMS, Bench
from benchmarks.running.plan import FULL, TINY


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    plan = replace(TINY if options.tiny else FULL, dynamic_groups=options.dynamic_groups)
    run = Bench(plan, options.systems, options.scenarios).run()
    if options.keep:
        keep(run, options.keep)
    print(report.markdown(run))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a look whether everything works; its figures mean nothing")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--dynamic-groups", type=int, default=0, metavar="NUMBER", help="each the scope of a rule")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the run as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
