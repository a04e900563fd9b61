"""The behaviour of an agent on the link."""

from datetime import UTC, datetime, timedelta

import pytest

from tms.protocol import downlink, frames, uplink
from tms.protocol.errors import RpcError
from tms_agent.protocol.frames import TerminalEvent


async def test_the_handshake_carries_the_credential_and_offers_the_subprotocol(tms, start):
    start()

    link = await tms.booted()

    assert tms.requests[0].path == "/ws/terminal/"
    assert tms.requests[0].headers["Authorization"] == f"Bearer T-1.{'s' * 43}"
    assert link.connection.subprotocol == "tms.v1"


async def test_the_first_frame_is_a_boot_with_the_whole_state(tms, start):
    start()

    link = await tms.booted()

    assert link.booted.serial == "S-1"
    assert link.booted.model == "PX-300"
    assert link.booted.firmware == "2.14.1"
    assert link.booted.uptime_s == 1234.0
    assert link.booted.capabilities == ("ping", "reboot", "break", "sleep")
    assert link.booted.last_seq == 0
    assert link.booted.full == frames.FullState("ok", {"temperature_c": 40.5})


@pytest.mark.parametrize("answer", ["{", '{"jsonrpc": "2.0", "id": 1, "result": {"session": "seven"}}', "[]"])
async def test_after_an_invalid_answer_to_its_boot_the_agent_connects_again(tms, start, lines, answer):
    running = start()
    link = await tms.link()
    await link.connection.send(answer)

    await tms.booted()

    assert "TMS answered the boot with an invalid frame: " in lines()
    assert not running.task.done()


async def test_each_run_has_its_own_boot(tms, start):
    first = start()
    one = await tms.booted()
    await first.end()
    start()
    other = await tms.booted()

    assert one.booted.boot_id != other.booted.boot_id


async def test_a_report_is_sent_live_and_deleted_when_it_is_acknowledged(tms, start):
    running = start()
    link = await tms.booted()

    running.agent.report_now()
    report = await link.report()
    await link.ack(1)
    state = await running.until(lambda state: state.acked_seq == 1)

    assert (report.seq, report.late, report.status, report.metrics) == (1, False, "ok", {"temperature_c": 40.5})
    assert len(running.agent.spool) == 0
    assert state.is_connected


async def test_a_terminal_without_reports_sends_heartbeats(tms, start):
    running = start(options=None)
    running.source.is_quiet = True
    link = await tms.booted(heartbeat_s=0.01)

    assert await link.receive() == uplink.HeartbeatCall("2.0")


async def test_a_heartbeat_is_sent_while_reports_wait_for_acknowledgements(tms, start):
    running = start()
    link = await tms.booted(limits=frames.Limits(reports_per_batch=1), heartbeat_s=0.01)

    first = await link.receive()
    second = await link.receive()

    assert isinstance(first, uplink.ReportCall)
    assert isinstance(second, uplink.HeartbeatCall)
    assert len(running.agent.spool) >= 1


async def test_frames_that_a_server_would_refuse_are_not_sent(tms, start, lines):
    running = start()
    link = await tms.booted()
    running.source.metrics = {"Not A Name": 1.0}
    running.agent.report_now()
    running.source.metrics = {"fine": float("nan"), "finer": 2.0}
    running.agent.report_now()

    report = await link.report()

    assert (report.seq, report.metrics) == (1, {"finer": 2.0})
    assert "a sample cannot be reported: $.params.metrics: Expected `str` matching regex" in lines()


async def test_more_events_than_fit_one_report_are_split(tms, start):
    running = start()
    link = await tms.booted()
    at = datetime.now(UTC)
    running.source.events = [TerminalEvent(at, f"event-{number}", text="\0" * 600) for number in range(250)]

    running.agent.report_now()
    reports = await link.reports(3)

    result = [event for report in reports for event in report.events]
    assert [event.code for event in result] == [f"event-{number}" for number in range(250)]
    assert result[0].text == "?" * 500
    assert [report.seq for report in reports] == [1, 2, 3]


@pytest.mark.parametrize("frame_bytes", [4_096, 65_536])
@pytest.mark.parametrize("character", ["端", "\1"])
async def test_reports_fit_a_frame_whatever_the_events_say(tms, start, lines, frame_bytes, character):
    """Japanese takes three bytes a character, a control character six."""
    running = start()
    running.source.metrics = {f"{number}".rjust(64, "m"): -1.2345678901234567e14 for number in range(40)}
    link = await tms.booted(limits=frames.Limits(frame_bytes=frame_bytes, frames_burst=100))
    codes = [f"event-{number}" for number in range(100 if frame_bytes > 4_096 else 20)]
    await running.until(lambda state: state.is_connected)
    running.source.events = [TerminalEvent(datetime.now(UTC), code, text=character * 500) for code in codes]

    running.agent.report_now()
    received: list[str] = []
    while received != codes:
        message = await link.receive_message()
        assert len(message) <= frame_bytes
        received += [event.code for call in uplink.decode(message) for event in call.params.events]

    assert "dropped" not in lines()


async def test_an_obviously_wrong_clock_is_corrected_by_that_of_the_server(tms, start, lines):
    running = start()
    other = datetime.now(UTC) + timedelta(days=900)
    link = await tms.booted(server_time=other)
    await running.until(lambda state: state.is_connected)

    running.agent.report_now()

    assert (await link.report()).at >= other
    assert "reports carry TMS's time" in lines()


async def test_an_invalid_frame_is_ignored_and_the_link_stays_open(tms, start, lines):
    running = start()
    link = await tms.booted()

    await link.connection.send("{")
    await link.connection.send('{"jsonrpc":"2.0","method":"ack","params":{"seq":"one"}}')
    await link.connection.send('{"jsonrpc":"2.0","method":"news","params":{}}')
    running.agent.report_now()

    assert (await link.report()).seq == 1
    assert "TMS sent what is no frame, ignored: Expected `int`, got `str` at $.params.seq" in lines()


async def test_a_request_of_a_newer_tms_is_answered_as_unknown(tms, start):
    start()
    link = await tms.booted()

    await link.connection.send('{"jsonrpc":"2.0","id":"n1","method":"dance","params":{}}')
    answer = await link.expect(uplink.CommandAnswer)

    assert answer.id == "n1"
    assert (answer.error.code, answer.error.data.type) == (-32601, "tms:unknown-method")


async def test_frames_before_the_answer_to_the_boot_are_not_lost(tms, start):
    start()
    link = await tms.link()

    await link.connection.send('{"jsonrpc":"2.0","id":"n1","method":"dance","params":{}}')
    await link.answer_boot()

    assert (await link.expect(uplink.CommandAnswer)).id == "n1"


async def test_a_refused_boot_is_retried(tms, start, lines):
    start()
    link = await tms.link()
    call = await link.expect(uplink.BootCall)
    await link.send(downlink.Refusal(call.id, RpcError(-32004, "not now")))

    await tms.booted()

    assert "TMS refused the boot: not now" in lines()
