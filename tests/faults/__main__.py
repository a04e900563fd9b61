"""`make faults`: injects each fault, and prints its effect on reports, boards and alerts as a table.

Exits with 1 if a guarantee was violated. The faults of one environment affect the same terminals in turn.
"""

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import run, table
from tests.faults.catalogue import GROUPS
from tests.faults.fault import FaultOutcome, Finding


def main(arguments: Sequence[str] | None = None) -> int:
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")
    options = _options(arguments)
    began_at, began = datetime.now(UTC), time.monotonic()
    try:
        findings = asyncio.run(run_faults(options.faults))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    done = run.recorded(findings, began_at=began_at, took_s=time.monotonic() - began)
    print(f"\n{table.markdown(findings)}\n\n{table.summary(findings, took_s=done.took_s)}")
    if options.keep:
        run.keep(done, options.keep)
    return int(any(finding.outcome is FaultOutcome.FAILED for finding in findings))


async def run_faults(names: Sequence[str]) -> list[Finding]:
    task = asyncio.current_task()
    assert task
    # So that processes, cables and disks are removed on SIGTERM, too.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    findings: list[Finding] = []
    for group in GROUPS:
        wanted = [fault for fault in group.faults if not names or fault.name in names]
        findings += await group.run(wanted, log=log) if wanted else []
    return findings


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = [fault.name for group in GROUPS for fault in group.faults]
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"all, or some of: {', '.join(known)}")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the findings as JSON")
    options = parser.parse_args(arguments)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
