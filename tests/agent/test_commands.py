import pytest

from tms.protocol import frames, uplink


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
    assert await running.ended() == frames.GoodbyeFrame("reboot")


async def test_a_result_that_fits_no_frame_is_refused(tms, start):
    start()
    link = await tms.booted()

    answer = await link.command("ping", text="x" * 70_000)

    assert answer.error.message == "the result is larger than 65536 bytes"
