"""`python -m tests.faults.clients.flooder PORT CREDENTIAL MIB`: a terminal that floods TMS.

Prints how many bytes it sent.

A separate process at a low priority: a terminal in a shop would not use the CPU of the servers.
"""

import os
import sys
import time

from tests.support.link.raw_client import Client, frame
from tms.protocol import SUBPROTOCOL, limits
from tms_agent.protocol import uplink
from tms_agent.protocol.frames import BootFrame

BOOT = uplink.boot(BootFrame(boot_id="flood"), 1).decode()
BEATS = frame(uplink.heartbeat().decode()) * 200
BULK = frame('{"jsonrpc": "2.0", "method": "heartbeat"}'.ljust(limits.FRAME_BYTES)) * 4
LONGEST_S = 60.0


def flood(port: int, key: str, *, size: int) -> int:
    """Boot, and send small and maximum-size frames as fast as the network allows; reconnect at once when closed."""
    until = time.monotonic() + LONGEST_S
    headers = [f"Authorization: Bearer {key}", f"Sec-WebSocket-Protocol: {SUBPROTOCOL}"]
    sent = 0
    while sent < size and time.monotonic() < until:
        client = Client(port)
        client.socket.settimeout(1)
        try:
            client.dial()
            client.shake_hands("/ws/terminal/", headers)
            client.send(BOOT)
            while sent < size and time.monotonic() < until:
                client.send_raw(BEATS + BULK)
                sent += len(BEATS + BULK)
        except (OSError, EOFError):
            continue
        finally:
            client.vanish()
    return sent


if __name__ == "__main__":
    os.nice(10)
    print(flood(int(sys.argv[1]), sys.argv[2], size=int(sys.argv[3]) * 2**20))
