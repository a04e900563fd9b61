"""Many small frames in one read do not starve others of the event loop."""

import asyncio
from itertools import pairwise

from tests.support.link.raw_client import PING, frame
from tms.server.websocket.input import FRAMES_AT_ONCE, BoundedInput


class Flood(BoundedInput):
    """A connection from which so many frames were read."""

    is_gone = False

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.taken = 0

    def consume(self) -> None:
        while self.taken < self.frames and self.has_turn():
            self.taken += 1

    def stop_reading(self) -> None:
        self.is_reading = False

    def start_reading(self) -> None:
        self.is_reading = True


async def test_between_batches_of_frames_other_tasks_run():
    flood, seen = Flood(10 * FRAMES_AT_ONCE), [0]

    flood.consume()
    while seen[-1] < flood.frames:
        seen.append(flood.taken)
        await asyncio.sleep(0)

    assert max(after - before for before, after in pairwise(seen)) <= FRAMES_AT_ONCE
    await asyncio.sleep(0)
    assert flood.is_reading


def test_ten_thousand_pings_at_once_are_all_answered_in_order(server):
    client = server.connect("/echo")

    client.send_raw(b"".join(frame(f"{number}", PING) for number in range(10_000)) + frame("last"))

    for number in range(10_000):
        assert client.read_frame() == (10, f"{number}".encode())
    assert client.receive() == "last"
