"""`python -m tests.faults.clients.backfiller PORT KIND SECONDS CREDENTIAL ...`: terminals that backfill without end.

Each sends as fast as the network and TMS allow. Prints the number of acknowledgements.

A separate process, like the flooder.
"""

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tms.protocol import SUBPROTOCOL, limits
from tms_agent.protocol.frames import BootFrame
from tms_agent.protocol.uplink import boot

TEXT = "x" * 150


def with_events() -> Iterator[str]:
    """Frames with as many events as a report may have."""
    yield from batches(2, lambda at: {"events": [event(at, number) for number in range(limits.EVENTS_PER_REPORT)]})


def with_metrics() -> Iterator[str]:
    """Frames with as many metrics as a report may have."""
    metrics = {f"metric_{number}": 1000.5 + number for number in range(limits.METRICS_PER_REPORT)}
    yield from batches(25, lambda at: {"metrics": metrics})


def of_other_boots() -> Iterator[str]:
    """A new boot in each report."""
    yield from batches(limits.REPORTS_PER_BATCH, lambda at: {"boot_id": uuid4().hex})


def batches(size: int, more: Callable[[str], object]) -> Iterator[str]:
    for first in itertools.count(1, size):
        at = datetime.now(UTC).isoformat()
        reports = [{"seq": first + n, "at": at, "late": True} | dict(more(at)) for n in range(size)]  # type: ignore[call-overload]
        yield json.dumps([{"jsonrpc": "2.0", "method": "report", "params": report} for report in reports])


def event(at: str, number: int) -> dict[str, str]:
    return {"at": at, "code": f"e{number}", "severity": "critical", "text": TEXT}


KINDS = {"events": with_events, "metrics": with_metrics, "boots": of_other_boots}


class Backfiller:
    """One terminal. It vanishes at the end, because its close frame is not read while its link is paused."""

    def __init__(self, port: int, key: str) -> None:
        self._url = f"ws://127.0.0.1:{port}/ws/terminal/"
        self._headers = {"Authorization": f"Bearer {key}"}
        self.acknowledgements = 0

    async def run(self, made: Iterator[str]) -> None:
        """Reconnects at once when its link ends."""
        while True:
            with contextlib.suppress(WebSocketException, OSError):
                await self._one_link(made)

    async def _one_link(self, made: Iterator[str]) -> None:
        link = await connect(
            self._url,
            additional_headers=self._headers,
            subprotocols=[SUBPROTOCOL],
            compression=None,
            ping_interval=None,
        )
        receiving = asyncio.create_task(self._receive(link))
        try:
            await link.send(boot(BootFrame(boot_id=uuid4().hex), 1), text=True)
            for batch in made:
                await link.send(batch)
        finally:
            link.transport.abort()
            receiving.cancel()

    async def _receive(self, link: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for _ in link:
                self.acknowledgements += 1


async def main(port: int, kind: str, seconds: float, keys: list[str]) -> None:
    terminals = [Backfiller(port, key) for key in keys]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(terminal.run(KINDS[kind]()) for terminal in terminals))
    print(sum(terminal.acknowledgements for terminal in terminals))


if __name__ == "__main__":
    os.nice(10)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:]))
