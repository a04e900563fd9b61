"""Bad frames, and a client that sends them."""

import asyncio
import contextlib
import json
import random
from collections.abc import Iterator
from itertools import islice

from websockets.exceptions import ConnectionClosed

from tests.support.link.terminal import Terminal, report

FRAMES_A_LINK = 30
"""The number of frames that a client sends; a link is closed before it has sent many more."""


VALID = [
    {"jsonrpc": "2.0", "method": "boot", "id": 2, "params": {"boot_id": "b"}},
    {"jsonrpc": "2.0", "method": "heartbeat"},
    {"jsonrpc": "2.0", "method": "report", "params": report(7, metrics={"a": 1.5}, status="ok")},
    {"jsonrpc": "2.0", "method": "goodbye", "params": {"reason": "reboot"}},
    {"jsonrpc": "2.0", "id": "c1", "result": {"answer": "pong"}},
]


ODD = [None, True, -1, 2**70, 1e308, "", "\u0000", "\ud83d\ude00", "' OR 1=1 --", "<script>", [], {}, [[]], "9" * 400]


async def send_frames(link: str, credential: str, frames: Iterator[str | bytes]) -> list[int | None]:
    """Send frames, a few over each link, and read the responses; returns how each link was closed."""
    codes = []
    while few := list(islice(frames, FRAMES_A_LINK)):
        terminal = await Terminal.connect(link, credential)
        await terminal.boot()
        closing = asyncio.create_task(terminal.closed())
        with contextlib.suppress(ConnectionClosed):
            for frame in few:
                await terminal.send(frame)
            await (await terminal.socket.ping())
        await terminal.socket.close()
        codes.append(await closing)
    return codes


def fuzzed_frame(dice: random.Random) -> str | bytes:
    """A valid frame with one error, or noise."""
    kind = dice.randrange(4)
    if kind == 0:
        return dice.randbytes(dice.randrange(200))
    text = json.dumps(dice.choice(VALID))
    if kind == 1:
        at = dice.randrange(len(text))
        return text[:at] + chr(dice.randrange(32, 0x2FF)) + text[at + dice.randrange(3) :]
    frame = json.loads(text)
    target = frame.get("params") if dice.random() < 0.7 else frame
    target = target if isinstance(target, dict) and target else frame
    target[dice.choice([*target, "extra"])] = dice.choice(ODD)
    return json.dumps(frame if kind == 2 else [frame] * dice.randrange(4))
