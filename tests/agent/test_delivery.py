"""Unacknowledged reports are sent again, in order, and marked as late."""

from datetime import UTC, datetime, timedelta

import msgspec

from tms.protocol import downlink, frames, uplink
from tms.protocol.errors import ErrorType, FrameError
from tms_agent.device.clock import machine_clock
from tms_agent.protocol.frames import ReportFrame, TerminalEvent
from tms_agent.storage.spool import Spool


async def test_unacknowledged_reports_are_sent_again_as_late_after_a_reconnect(tms, start):
    running = start()
    link = await tms.booted()
    for _ in range(3):
        running.agent.report_now()
    await link.reports(3)
    await link.ack(1)
    await running.until(lambda state: state.acked_seq == 1)

    link.cut()
    again = await tms.booted()
    reports = await again.reports(2)

    assert again.booted.last_seq == 3
    assert [(report.seq, report.late) for report in reports] == [(2, True), (3, True)]
    assert all(report.boot_id is msgspec.UNSET for report in reports)


async def test_reports_that_the_boot_answer_confirms_are_not_sent_again(tms, start):
    running = start()
    link = await tms.booted()
    for _ in range(3):
        running.agent.report_now()
    await link.reports(3)

    link.cut()
    again = await tms.booted(acked_seq=2)

    assert (await again.report()).seq == 3


async def test_backfill_is_one_message_and_later_reports_are_live(tms, start):
    running = start()
    link = await tms.booted()
    link.cut()
    await running.until(lambda state: not state.is_connected)
    for _ in range(5):
        running.agent.report_now()

    again = await tms.booted()
    batch = msgspec.json.decode(await again.receive_message())
    running.agent.report_now()
    live = await again.report()

    assert [call["params"]["seq"] for call in batch] == [1, 2, 3, 4, 5]
    assert all(call["params"]["late"] for call in batch)
    assert (live.seq, live.late) == (6, False)


async def test_backfill_is_sent_no_faster_than_it_is_acknowledged(tms, start):
    running = start(spool=filled(25))
    link = await tms.booted(limits=frames.Limits(reports_per_batch=10))

    sizes = []
    for acked in (10, 20, 25):
        batch = list(uplink.decode(await link.receive_message()))
        sizes.append(len(batch))
        await link.ack(acked, "earlier")

    assert sizes == [10, 10, 5]
    running.agent.report_now()
    assert (await link.report()).seq == 1


async def test_a_batch_is_limited_to_the_size_of_one_frame(tms, start):
    start(spool=filled(40, text="x" * 400))
    link = await tms.booted(limits=frames.Limits(frame_bytes=4096))

    message = await link.receive_message()

    assert len(message) <= 4096
    assert len(list(uplink.decode(message))) > 1


async def test_a_report_that_is_too_large_for_the_server_does_not_block_the_others(tms, start, lines):
    spool = filled(1)
    spool.append("earlier", report(2, events=20, text="x" * 400))
    spool.append("earlier", report(3))
    running = start(spool=spool)
    link = await tms.booted(limits=frames.Limits(frame_bytes=4096))

    reports = await link.reports(2)
    await link.ack(3, "earlier")
    running.agent.report_now()
    await link.report()

    assert [one.seq for one in reports] == [1, 3]
    assert "report 2 is larger than TMS takes (4096 bytes): dropped" in lines()


async def test_reports_of_an_earlier_boot_carry_its_id_and_are_acknowledged_by_it(tms, start):
    running = start(spool=filled(2))
    link = await tms.booted()

    reports = await link.reports(2)
    await link.ack(2)
    await running.until(lambda state: state.acked_seq == 2)
    waiting = len(running.agent.spool)
    await link.ack(2, "earlier")
    running.agent.report_now()
    await link.report()

    assert [(one.boot_id, one.seq, one.late) for one in reports] == [("earlier", 1, True), ("earlier", 2, True)]
    assert waiting == 2
    assert [entry.boot_id for entry in running.agent.spool] == [link.booted.boot_id]


async def test_a_report_that_waited_longer_than_a_heartbeat_is_late(tms, start):
    running = start()
    link = await tms.booted(limits=frames.Limits(reports_per_batch=1), heartbeat_s=1)
    running.agent.report_now()
    await link.report()
    running.agent.spool.append(
        link.booted.boot_id, report(2, at=machine_clock().now() - timedelta(minutes=5)), clock=machine_clock().id
    )

    await link.ack(1)
    second = await link.report()

    assert (second.seq, second.late) == (2, True)


async def test_an_event_after_a_short_interruption_is_sent_live(tms, start):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    running.source.events = [TerminalEvent(datetime.now(UTC), "door_open")]
    running.agent.report_now()
    await link.reports(2)

    link.cut()
    again = await tms.booted()
    reports = await again.reports(2)

    assert [(one.seq, one.late, len(one.events)) for one in reports] == [(1, True, 0), (2, False, 1)]


async def test_an_event_after_a_long_interruption_is_sent_late(tms, start):
    running = start()
    link = await tms.booted(heartbeat_s=30)
    link.cut()
    await running.until(lambda state: not state.is_connected)
    long_ago = machine_clock().now() - timedelta(minutes=5)
    running.agent.spool.append(link.booted.boot_id, report(1, events=1, at=long_ago), clock=machine_clock().id)

    again = await tms.booted(heartbeat_s=30)

    assert (await again.report()).late


async def test_events_at_boot_are_sent_live(tms, start):
    running = start()
    link = await tms.booted()
    running.source.events = [TerminalEvent(datetime.now(UTC), "door_open")]

    link.cut()
    again = await tms.booted()
    result = await again.report()

    assert [event.code for event in result.events] == ["door_open"]
    assert result.late is False


async def test_a_report_that_the_server_rejects_permanently_does_not_block_the_others(tms, start):
    running = start(spool=filled(3))
    link = await tms.booted(limits=frames.Limits(reports_per_batch=3))
    await link.reports(3)
    running.agent.report_now()

    for _ in range(3):
        error = FrameError(ErrorType.UNAVAILABLE, "could not be kept")
        await link.send(downlink.Refusal(None, error.as_rpc()))

    assert (await link.report()).seq == 1


async def test_live_frames_stay_within_the_limit_of_the_server(tms, start):
    running = start()
    link = await tms.booted(limits=frames.Limits(frames_per_minute=60_000, frames_burst=2))

    for _ in range(20):
        running.agent.report_now()
    reports = await link.reports(20)

    assert [one.seq for one in reports] == list(range(1, 21))


def filled(number: int, text: str = "") -> Spool:
    """A spool with reports of an earlier boot."""
    spool = Spool()
    for seq in range(1, number + 1):
        spool.append("earlier", report(seq, events=1 if text else 0, text=text))
    return spool


def report(seq: int, *, events: int = 0, text: str = "", at: datetime | None = None) -> ReportFrame:
    at = at or datetime.now(UTC)
    return ReportFrame(seq, at, "ok", events=tuple(TerminalEvent(at, "note", text=text) for _ in range(events)))
