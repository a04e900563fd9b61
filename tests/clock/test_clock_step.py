"""The wall clock of a running TMS is stepped by a day, and back by two."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for, wait_for_value_async
from tests.support.servers.tms import RunningTMS

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
BEAT = "SELECT at FROM ops_heartbeat WHERE name = 'clock'"
WENT = "SELECT count(*) FROM fleet_presencechange WHERE presence <> 'online'"

pytestmark = [
    pytest.mark.both,
    pytest.mark.skipif(not LIBRARIES, reason="needs libfaketime (Debian: apt install libfaketime)"),
]


async def test_a_clock_step_makes_no_terminal_silent(tmp_path):
    wall_clock = tmp_path / "wall-clock"
    wall_clock.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(wall_clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its workaround for old C libraries ends each timed wait at once: waiting threads would never sleep.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    with RunningTMS(tmp_path, TMS_HEARTBEAT_S="20", TMS_RECONNECT_GRACE_S="60", **faked) as tms:
        async with await Terminal.connect(tms.link, tms.enrol("T1")) as terminal:
            await terminal.boot()
            await changes(lambda: tms.query(BEAT), times=1)

            for seq, step in enumerate(("+1d", "-1d"), 1):
                wall_clock.write_text(f"{step}\n")
                await changes(lambda: tms.query(BEAT), times=3)
                await terminal.report(seq)
                await terminal.acknowledged(seq)

                assert tms.query(WENT) == [(0,)]
                # The node's own heartbeat is written by another thread than the clock's.
                await wait_for_value_async(lambda: tms.get("/health/?strict")[0], 200)


async def changes(read: Callable[[], object], *, times: int) -> None:
    """Wait until `read` has returned another value so many times."""
    for _ in range(times):
        seen = await asyncio.to_thread(read)
        await asyncio.to_thread(wait_for, read, lambda value, seen=seen: value != seen)
