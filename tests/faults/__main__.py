"""`make faults`: the effect of each fault of the design on reports, boards and alerts, as a table.

Exits 1 when a promise was broken. The faults of one place happen one after the other to the same terminals.
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
from tests.faults.catalogue import STAGES
from tests.faults.fault import Finding, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")
    options = _options(arguments)
    began_at, began = datetime.now(UTC), time.monotonic()
    try:
        findings = asyncio.run(break_it(options.faults))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    done = run.recorded(findings, began_at=began_at, took_s=time.monotonic() - began)
    print(f"\n{table.markdown(findings)}\n\n{table.summary(findings, took_s=done.took_s)}")
    if options.keep:
        run.keep(done, options.keep)
    return int(any(finding.verdict is Verdict.BROKEN for finding in findings))


async def break_it(names: Sequence[str]) -> list[Finding]:
    task = asyncio.current_task()
    assert task
    # However it ends: processes, cables and disks are removed.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    findings: list[Finding] = []
    for stage in STAGES:
        wanted = [fault for fault in stage.faults if not names or fault.name in names]
        findings += await stage.play(wanted, say=say) if wanted else []
    return findings


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = [fault.name for stage in STAGES for fault in stage.faults]
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"all, or some of: {', '.join(known)}")
    parser.add_argument("--keep", type=Path, metavar="PATH", help="write the findings as JSON")
    options = parser.parse_args(arguments)
    if unknown := set(options.faults) - set(known):
        parser.error(f"no such fault: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
