"""`python -m tests.faults.clients.hostile_terminal PORT CREDENTIAL KIND SECONDS`: expensive frames, ten a second.

A separate process, like the flooder. Prints how many frames it sent.
"""

import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.support.link.raw_client import TIMEOUT_S, Client, frame
from tests.untrusted.cost import largest
from tests.untrusted.frames import FRAMES
from tms.protocol import SUBPROTOCOL, limits
from tms_agent.protocol.frames import BootFrame
from tms_agent.protocol.uplink import boot

EVERY_S = 0.1
BOOT = boot(BootFrame(boot_id="hostile"), 1).decode()


def worst_frames() -> Iterator[str]:
    """Alternates the frame that once blocked a node for half a minute with all the others."""
    all_of_them = [largest(make) for make in FRAMES.values()]
    for other in itertools.cycle(all_of_them):
        yield all_of_them[0]
        yield other


def huge_metrics() -> Iterator[str]:
    """Values near the largest number, and new names in each report of each batch; live, late, and in a boot's state."""
    for number in itertools.count(1):
        at = datetime.now(UTC).isoformat()
        names = {f"m{number}.{name}": 9e99 if name % 2 else 1.0 for name in range(limits.METRICS_PER_REPORT)}
        report = {"seq": number, "at": at, "metrics": names | {"m": 1.7e308}, "late": number % 10 > 0}
        del report["metrics"][f"m{number}.0"]
        call = {"jsonrpc": "2.0", "method": "report", "params": report}
        many = [call | {"params": report | {"seq": number * 1_000 + index, "late": True}} for index in range(25)]
        yield json.dumps(many if number % 2 else call)


KINDS = {"worst-frames": worst_frames, "huge-metrics": huge_metrics}


def send(port: int, key: str, made: Iterator[str], *, seconds: float) -> int:
    until, sent = time.monotonic() + seconds, 0
    headers = [f"Authorization: Bearer {key}", f"Sec-WebSocket-Protocol: {SUBPROTOCOL}"]
    boots = itertools.cycle((True, False))
    while time.monotonic() < until:
        client = Client(port)
        try:
            client.dial()
            client.shake_hands("/ws/terminal/", headers)
            if next(boots) or made.__name__ == huge_metrics.__name__:
                client.send(BOOT)
            due = time.monotonic()
            while time.monotonic() < until:
                client.socket.settimeout(TIMEOUT_S)
                client.send_raw(frame(next(made)))
                sent += 1
                due += EVERY_S
                read_until(client, due)
        except (OSError, EOFError):
            time.sleep(EVERY_S)  # closed: reconnect at once
        finally:
            client.vanish()
    return sent


def read_until(client: Client, due: float) -> None:
    """Discard incoming data."""
    with contextlib.suppress(TimeoutError):
        while (left := due - time.monotonic()) > 0:
            client.socket.settimeout(left)
            client.fill()
            client.buffer = b""


if __name__ == "__main__":
    os.nice(10)
    print(send(int(sys.argv[1]), sys.argv[2], KINDS[sys.argv[3]](), seconds=float(sys.argv[4])))
