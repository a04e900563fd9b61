"""`python -m benchmarks.agent`: what the agent costs its terminal, and what it keeps of an outage.

Bytes are those that the kernel wrote to a disk (`write_bytes` of /proc/self/io): give a folder of a real one. With
`--device`, those of that block device as well, file system and all: a loop device with a file system of its own.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.agent import disk, outage, process
from benchmarks.output.report import number, table

Rows = Iterator[tuple[str, float]]


def main() -> None:
    options = _options()
    steps: Mapping[str, Callable[[Path], Rows]] = {
        "disk": lambda folder: disk.measure(folder, options.reports, options.device),
        "outage": lambda folder: outage.measure(folder, options.days),
        "process": lambda folder: process.measure(folder, options.seconds, options.python),
    }
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name in [options.only] if options.only else steps:
            print(table(("", ""), [(what, number(value)) for what, value in steps[name](Path(folder))]), "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agent", description=__doc__)
    parser.add_argument("--only", choices=("disk", "outage", "process"), help="one step")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="a folder on a disk, not in memory")
    parser.add_argument("--device", default="", help="the block device of the folder and of nothing else: loop0")
    parser.add_argument("--reports", type=int, default=2_000, help="of each case")
    parser.add_argument("--days", type=int, default=21, help="without a link")
    parser.add_argument("--seconds", type=int, default=120, help="in which the agent is idle")
    parser.add_argument("--python", default="", help="the interpreter of the agent; default: this one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
