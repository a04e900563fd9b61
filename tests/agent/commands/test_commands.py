from datetime import UTC, datetime, timedelta

import pytest

from tms.protocol import downlink, frames, uplink
from tms_agent.protocol.frames import GoodbyeFrame


async def test_a_command_is_answered_with_its_result(tms, start):
    start()
    link = await tms.booted()

    answer = await link.command("ping", request_id="c42", size=3)

    assert (answer.id, answer.result) == ("c42", {"echo": {"size": 3}})


@pytest.mark.parametrize(
    ("name", "within_s", "kind", "message"),
    [
        ("dance", 30, "tms:refused", "unknown command 'dance'; supported: ping, reboot, break, sleep"),
        ("break", 30, "tms:refused", "the lever is stuck; pull it by hand"),
        ("ping", -1, "tms:deadline-passed", "ping was not done by its deadline"),
        ("sleep", 30, "tms:unavailable", "sleep failed: a bug"),
    ],
)
async def test_a_failed_command_is_answered_with_the_reason(tms, start, name, within_s, kind, message):
    start()
    link = await tms.booted()

    answer = await link.command(name, within_s=within_s)

    assert (answer.error.data.type, answer.error.message) == (kind, message)


async def test_a_command_that_stops_the_terminal_is_answered_before_the_goodbye(tms, start):
    running = start()
    link = await tms.booted()

    answer = await link.command("reboot")
    goodbye = await link.expect(uplink.GoodbyeCall)

    assert answer.result == "going"
    assert goodbye.params.reason == "reboot"
    assert await link.closed() == 1000
    assert await running.ended() == GoodbyeFrame("reboot")


@pytest.mark.parametrize("frame_bytes", [65_536, 4_096])
async def test_a_result_that_fits_no_frame_is_refused(tms, start, frame_bytes):
    start()
    link = await tms.booted(limits=frames.Limits(frame_bytes=frame_bytes))

    answer = await link.command("ping", text="x" * frame_bytes)

    assert answer.error.message == f"the result is larger than {frame_bytes} bytes"


async def test_an_answer_that_waits_for_the_rate_limit_outlives_its_link(tms, start):
    start()
    link = await tms.booted(limits=frames.Limits(frames_per_minute=1, frames_burst=1))
    await link.command("ping", request_id="c1")  # all that the limit permits within a minute
    await link.send(downlink.CommandCall("c2", frames.CommandFrame("ping", {}, later())))
    await (await link.connection.ping())  # the agent has read it

    link.cut()
    again = await tms.booted()

    assert (await again.expect(uplink.CommandAnswer)).id == "c2"


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30)
