"""How an agent disconnects, and how it reconnects."""

from datetime import UTC, datetime, timedelta

from tms.protocol import downlink, frames, uplink
from tms_agent.protocol.frames import GoodbyeFrame
from tms_agent.storage.state import AgentPhase


async def test_stop_sends_a_goodbye_closes_the_link_and_ends_the_run(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)
    back_at = datetime.now(UTC) + timedelta(minutes=3)

    running.agent.stop("update", back_at)
    goodbye = await link.expect(uplink.GoodbyeCall)

    assert goodbye.params == frames.GoodbyeFrame("update", back_at)
    assert await link.closed() == 1000
    assert await running.ended() == GoodbyeFrame("update", back_at)
    assert running.agent.state.phase is AgentPhase.STOPPED


async def test_stop_ends_the_run_without_a_link(tms, start):
    tms.refuse(503, Retry_After="3000")
    running = start()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    running.agent.stop()

    assert await running.ended() == GoodbyeFrame("shutdown")


async def test_stop_ends_the_run_before_the_boot_is_answered(tms, start):
    running = start()
    link = await tms.link()
    await link.expect(uplink.BootCall)

    running.agent.stop()

    assert await running.ended() == GoodbyeFrame("shutdown")


async def test_a_crash_cuts_the_link_without_a_goodbye(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.crash()

    assert await link.closed() == 1006
    assert await running.ended() is None


async def test_unacknowledged_reports_are_sent_after_a_crash(tms, start):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()
    running.agent.crash()
    await running.ended()

    again = start(spool=running.agent.spool)
    other = await tms.booted()
    result = await other.report()

    assert (result.boot_id, result.seq, result.late) == (link.booted.boot_id, 1, True)
    assert other.booted.boot_id == again.agent.state.boot_id != link.booted.boot_id


async def test_an_offline_agent_continues_to_sample_and_reports_afterwards(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.offline_for(0.05)
    running.agent.report_now()
    code = await link.closed()
    again = await tms.booted()
    result = await again.report()

    assert code == 1006
    assert again.booted.boot_id == link.booted.boot_id
    assert (result.seq, result.late) == (1, True)


async def test_an_offline_period_has_the_requested_length(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.offline_for(3000)
    await link.closed()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)
    running.agent.stop()
    await running.ended()

    assert not tms.has_new_link


async def test_a_drain_is_followed_once_sent_reports_are_acknowledged(tms, start, lines):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()

    await link.send(downlink.DrainCall(frames.DrainFrame(reconnect_after_s=0.01, spread_s=30)))
    await link.ack(1)
    code = await link.closed()
    again = await tms.booted()

    assert code == 1000
    assert again.booted.boot_id == link.booted.boot_id
    assert again.booted.last_seq == 1
    assert len(running.agent.spool) == 0
    assert "asked to come back later; next try in 0 s" in lines()


async def test_a_drain_contains_the_time_to_reconnect(tms, start, lines):
    running = start()
    link = await tms.booted()

    await link.send(downlink.DrainCall(frames.DrainFrame(reconnect_after_s=70, spread_s=30)))
    await link.closed()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "next try in 70 s" in lines()
    assert not tms.has_new_link


async def test_nothing_more_is_sent_after_a_drain(tms, start):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()

    await link.send(downlink.DrainCall(frames.DrainFrame(0, 0)))
    await link.send(
        downlink.CommandCall("c1", frames.CommandFrame("ping", {}, datetime.now(UTC) + timedelta(minutes=1)))
    )
    await link.expect(uplink.CommandAnswer)
    running.agent.report_now()
    await link.ack(1)
    await link.closed()
    again = await tms.booted()

    assert ((await again.report()).seq, again.booted.last_seq) == (2, 2)


async def test_a_close_for_a_drain_is_followed_at_once(tms, start, lines):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()

    await link.send(downlink.DrainCall(frames.DrainFrame(70, 0)))
    await link.close(4503)
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "next try in 70 s" in lines()
    assert len(running.agent.spool) == 1
    assert next(iter(running.agent.spool)).report.boot_id is None
