"""A step of the wall clock: by itself, daphne closes every socket, and Twisted's timers stop or fire."""

import time
from pathlib import Path

import pytest

from tests.support.link.raw_client import RESET

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="needs libfaketime (Debian: apt install libfaketime)")


@pytest.mark.parametrize("step", ["+2d", "-1h"])
def test_a_clock_step_neither_closes_sockets_nor_stops_timers(serve, tmp_path, step):
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # for old C libraries: it ends each timed wait at once
    }
    server = serve(options={"env": faked}, ping_interval=0.2, ping_timeout=1)
    client = server.connect()
    client.receive_pings(1)

    clock.write_text(f"{step}\n")
    server.wait_for(lambda facts: abs(facts["now"] - time.time()) > 3000)
    client.receive_pings(2)

    client.send("still here")
    assert client.receive() == "still here"
    assert client.receive(pong=False) == RESET, "half-open links are still found"
