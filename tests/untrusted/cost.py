"""`python -m tests.untrusted.cost`: the cost of the worst frames of 64 KiB for the event loop.

From bytes to the result or error of a session. Exits with 1 if one costs more than the limit.
"""

import sys
import time

from tests.untrusted.frames import FRAMES
from tests.untrusted.made import Make
from tms.protocol import downlink, limits, uplink
from tms.protocol.errors import FrameError

MOST_MS = 20.0
REPEATS = 5


def main() -> int:
    costs = {name: cost_ms(largest(make)) for name, make in FRAMES.items()}
    for name, cost in sorted(costs.items(), key=lambda each: -each[1]):
        print(f"{cost:8.2f} ms  {name}")
    worst = max(costs.values())
    print(f"\nthe worst of {len(costs)}: {worst:.2f} ms; the limit is {MOST_MS:g} ms")
    return int(worst > MOST_MS)


def largest(make: Make) -> str:
    """The largest accepted size."""
    size, frame = limits.FRAME_BYTES, make(limits.FRAME_BYTES)
    while (over := len(frame.encode(errors="surrogatepass")) - limits.FRAME_BYTES) > 0:
        size -= over
        frame = make(size)
    return str(frame)


def cost_ms(frame: str) -> float:
    return 1000 * min(_seconds(frame) for _ in range(REPEATS))


def _seconds(frame: str) -> float:
    began = time.thread_time()
    for one in uplink.decode(frame):
        if isinstance(one, FrameError):
            downlink.refusal(one)
    return time.thread_time() - began


if __name__ == "__main__":
    sys.exit(main())
