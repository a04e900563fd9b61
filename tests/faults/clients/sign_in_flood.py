"""Passwords are guessed as fast as TMS answers."""

import asyncio
import contextlib
import http.client
import json
import math
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults.fault import Fault, Finding
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.observer import TerminalObserver
from tests.faults.scenario.scenario import Scenario

WARM_UP_S, BASELINE_S, FLOOD_S = 10.0, 60.0, 60.0
READERS, PAUSE_S = 4, 0.1
PAGES = ("/", "/terminals/", "/alerts/", "/help/")
WRONG_PASSWORD = 200
"""Status of the answer for a wrong name or password."""
MOST_CHECKED = 70
"""30 in each of the two minutes of the flood, and concurrent ones."""
MOST_SILENT_S = 3.0


@dataclass
class Readers:
    """Clients that read pages while entered; `seconds` are the response times."""

    url: str
    cookie: str
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    _is_finished: bool = False

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        with ThreadPoolExecutor(READERS) as threads:
            tasks = [asyncio.wrap_future(threads.submit(self._read)) for _ in range(READERS)]
            try:
                yield
            finally:
                self._is_finished = True
                await asyncio.gather(*tasks)

    def _read(self) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        for path in _endlessly(PAGES):
            if self._is_finished:
                connection.close()
                return
            began = time.monotonic()
            connection.request("GET", path, headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.monotonic() - began)
            self.failed += answer.status != 200
            time.sleep(PAUSE_S)

    @property
    def p99_s(self) -> float:
        return sorted(self.seconds)[math.ceil(0.99 * len(self.seconds)) - 1]


async def guess_passwords(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """25 loops of wrong passwords, half of them from a new address with a new name each time."""
    losses, url = scenario.observer.losses, scenario.environment.url
    baseline, flooded = Readers(url, scenario.cookie), Readers(url, scenario.cookie)
    async with scenario.during_fault(finding):
        async with Readers(url, scenario.cookie).reading():
            await asyncio.sleep(WARM_UP_S)
        async with baseline.reading():
            await asyncio.sleep(BASELINE_S)
        acknowledging = asyncio.create_task(longest_silence(scenario.observer))
        try:
            async with flooded.reading():
                statuses = await guess(url, FLOOD_S)
        finally:
            acknowledging.cancel()
    silent_s = await acknowledging
    finding.expect("p99 of pages relative to the baseline", flooded.p99_s / baseline.p99_s, at_most=2)
    finding.expect("pages that failed", baseline.failed + flooded.failed, at_most=0)
    finding.expect("longest time without an acknowledgement", silent_s, at_most=MOST_SILENT_S, unit="s")
    finding.expect("links lost", scenario.observer.losses - losses, at_most=0)
    finding.expect("passwords that were hashed", statuses.get(WRONG_PASSWORD, 0), at_most=MOST_CHECKED)
    finding.figures |= {
        "p99 of pages, baseline, ms": 1000 * baseline.p99_s,
        "p99 of pages, flooded, ms": 1000 * flooded.p99_s,
        "pages read, baseline": len(baseline.seconds),
        "pages read, flooded": len(flooded.seconds),
        **{f"guesses answered {status}": number for status, number in sorted(statuses.items())},
    }


async def guess(url: str, seconds: float) -> dict[int, int]:
    """Number of guesses by status of the answer; 0 is no answer."""
    command = [sys.executable, "-m", "tests.faults.clients.guesser", url, str(seconds)]
    guesser = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        output, _ = await guesser.communicate()
    finally:
        if guesser.returncode is None:
            guesser.kill()
    return {int(status): number for status, number in json.loads(output).items()}


async def longest_silence(observer: TerminalObserver) -> float:
    """The longest time in which no report was acknowledged, watched until it is cancelled."""
    longest, acked, acked_at = 0.0, observer.acked, time.monotonic()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            longest = max(longest, now - acked_at)
            if observer.acked > acked:
                acked, acked_at = observer.acked, now
    return longest


def _endlessly(pages: Sequence[str]) -> Iterator[str]:
    while True:
        yield from pages


FAULTS = (
    Fault(
        "sign-in-flood",
        "guessing passwords at most doubles the time of pages",
        "25 loops of wrong passwords for 60 s",
        guess_passwords,
    ),
)
