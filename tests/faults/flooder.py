"""`python -m tests.faults.flooder PORT CREDENTIAL SECONDS`: a terminal gone mad. Prints how many bytes it got rid of.

A process of its own, and a polite one: a flooder in a shop takes no processor of ours.
"""

import os
import sys
import time

from tests.server.client import Client, frame
from tms.protocol import SUBPROTOCOL, frames, uplink

BOOT = uplink.encode(uplink.BootCall(frames.Boot(boot_id="flood"), 1, "2.0")).decode()
BEATS = frame(uplink.encode(uplink.HeartbeatCall("2.0")).decode()) * 200


def flood(port: int, key: str, *, until: float) -> int:
    """Boots and sends as fast as the network takes it; closed, it comes back at once."""
    headers = [f"Authorization: Bearer {key}", f"Sec-WebSocket-Protocol: {SUBPROTOCOL}"]
    sent = 0
    while time.monotonic() < until:
        client = Client(port)
        client.socket.settimeout(1)
        try:
            client.dial()
            client.shake_hands("/ws/terminal/", headers)
            client.send(BOOT)
            while time.monotonic() < until:
                client.send_raw(BEATS)
                sent += len(BEATS)
        except (OSError, EOFError):
            continue
        finally:
            client.vanish()
    return sent


if __name__ == "__main__":
    os.nice(10)
    print(flood(int(sys.argv[1]), sys.argv[2], until=time.monotonic() + float(sys.argv[3])))
