"""Passwords are guessed as fast as TMS answers: R16, R42."""

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
from tests.faults.observer import TerminalObserver
from tests.faults.place import Several
from tests.faults.scene import Scene

WARM_UP_S, CALM_S, FLOOD_S = 10.0, 60.0, 60.0
READERS, PAUSE_S = 4, 0.1
PAGES = ("/", "/terminals/", "/alerts/", "/help/")
WRONG_PASSWORD = 200
"""Status of the answer for a wrong name or password."""
MOST_CHECKED = 70
"""30 in each of the two minutes of the flood, and those that run at the same moment."""
MOST_SILENT_S = 3.0


@dataclass
class Readers:
    """People who read pages while they are entered; `seconds` is how long each answer took."""

    url: str
    cookie: str
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    _is_over: bool = False

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        with ThreadPoolExecutor(READERS) as threads:
            tasks = [asyncio.wrap_future(threads.submit(self._read)) for _ in range(READERS)]
            try:
                yield
            finally:
                self._is_over = True
                await asyncio.gather(*tasks)

    def _read(self) -> None:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        for path in _for_ever(PAGES):
            if self._is_over:
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


async def guess_passwords(scene: Scene[Several], finding: Finding) -> None:
    """25 loops of wrong passwords, half of them from a new address with a new name each time."""
    losses, url = scene.observer.losses, scene.place.url
    calm, flooded = Readers(url, scene.cookie), Readers(url, scene.cookie)
    async with scene.disturbed(finding):
        async with Readers(url, scene.cookie).reading():
            await asyncio.sleep(WARM_UP_S)
        async with calm.reading():
            await asyncio.sleep(CALM_S)
        acknowledging = asyncio.create_task(longest_silence(scene.observer))
        try:
            async with flooded.reading():
                statuses = await guess(url, FLOOD_S)
        finally:
            acknowledging.cancel()
    silent_s = await acknowledging
    finding.promise("p99 of pages against calm", flooded.p99_s / calm.p99_s, at_most=2)
    finding.promise("pages that failed", calm.failed + flooded.failed, at_most=0)
    finding.promise("longest without an acknowledgement", silent_s, at_most=MOST_SILENT_S, unit="s")
    finding.promise("links lost", scene.observer.losses - losses, at_most=0)
    finding.promise("passwords that were hashed", statuses.get(WRONG_PASSWORD, 0), at_most=MOST_CHECKED)
    finding.figures |= {
        "p99 of pages, calm, ms": 1000 * calm.p99_s,
        "p99 of pages, flooded, ms": 1000 * flooded.p99_s,
        "pages read in calm": len(calm.seconds),
        "pages read in the flood": len(flooded.seconds),
        **{f"guesses answered {status}": number for status, number in sorted(statuses.items())},
    }


async def guess(url: str, seconds: float) -> dict[int, int]:
    """Number of guesses by status of the answer; 0 is no answer."""
    command = [sys.executable, "-m", "tests.faults.guesser", url, str(seconds)]
    guesser = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        told, _ = await guesser.communicate()
    finally:
        if guesser.returncode is None:
            guesser.kill()
    return {int(status): number for status, number in json.loads(told).items()}


async def longest_silence(observer: TerminalObserver) -> float:
    """Until it is cancelled: the longest time in which no report was acknowledged."""
    longest, acked, heard_at = 0.0, observer.acked, time.monotonic()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            longest = max(longest, now - heard_at)
            if observer.acked > acked:
                acked, heard_at = observer.acked, now
    return longest


def _for_ever(pages: Sequence[str]) -> Iterator[str]:
    while True:
        yield from pages


FAULTS = (Fault("sign-in-flood", "R42", "25 loops of wrong passwords for 60 s", guess_passwords),)
