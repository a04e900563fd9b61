"""How an agent leaves, and how it comes back."""

from datetime import UTC, datetime, timedelta

import msgspec

from tms.agent.storage.state import AgentPhase
from tms.protocol import downlink, frames, uplink


async def test_stop_says_goodbye_closes_and_ends_the_run(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)
    back_at = datetime.now(UTC) + timedelta(minutes=3)

    running.agent.stop("update", back_at)
    goodbye = await link.expect(uplink.GoodbyeCall)

    assert goodbye.params == frames.GoodbyeFrame("update", back_at)
    assert await link.closed() == 1000
    assert await running.ended() == frames.GoodbyeFrame("update", back_at)
    assert running.agent.state.phase is AgentPhase.STOPPED


async def test_stop_ends_the_run_also_while_there_is_no_link(tms, start):
    tms.refuse(503, Retry_After="3000")
    running = start()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    running.agent.stop()

    assert await running.ended() == frames.GoodbyeFrame("shutdown")


async def test_stop_ends_the_run_also_while_the_boot_is_not_answered(tms, start):
    running = start()
    link = await tms.link()
    await link.expect(uplink.BootCall)

    running.agent.stop()

    assert await running.ended() == frames.GoodbyeFrame("shutdown")


async def test_a_crash_cuts_the_link_without_a_word(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.crash()

    assert await link.closed() == 1006
    assert await running.ended() is None


async def test_what_was_not_acknowledged_before_a_crash_is_sent_after_it(tms, start):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()
    running.agent.crash()
    await running.ended()

    again = start(spool=running.agent.spool)
    other = await tms.booted()
    told = await other.report()

    assert (told.boot_id, told.seq, told.late) == (link.booted.boot_id, 1, True)
    assert other.booted.boot_id == again.agent.state.boot_id != link.booted.boot_id


async def test_an_agent_that_is_offline_samples_on_and_tells_afterwards(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.offline_for(0.05)
    running.agent.report_now()
    code = await link.closed()
    again = await tms.booted()
    told = await again.report()

    assert code == 1006
    assert again.booted.boot_id == link.booted.boot_id
    assert (told.seq, told.late) == (1, True)


async def test_offline_lasts_as_long_as_it_was_meant_to(tms, start):
    running = start()
    link = await tms.booted()
    await running.until(lambda state: state.is_connected)

    running.agent.offline_for(3000)
    await link.closed()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)
    running.agent.stop()
    await running.ended()

    assert not tms.has_new_link


async def test_a_drain_is_followed_when_what_is_on_the_way_is_acknowledged(tms, start, lines):
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


async def test_a_drain_says_when_to_come_back(tms, start, lines):
    running = start()
    link = await tms.booted()

    await link.send(downlink.DrainCall(frames.DrainFrame(reconnect_after_s=70, spread_s=30)))
    await link.closed()
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "next try in 70 s" in lines()
    assert not tms.has_new_link


async def test_a_drain_sends_nothing_more_of_what_waits(tms, start):
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


async def test_a_server_that_closes_for_a_drain_is_believed_without_waiting(tms, start, lines):
    running = start()
    link = await tms.booted()
    running.agent.report_now()
    await link.report()

    await link.send(downlink.DrainCall(frames.DrainFrame(70, 0)))
    await link.close(4503)
    await running.until(lambda state: state.phase is AgentPhase.WAITING)

    assert "next try in 70 s" in lines()
    assert len(running.agent.spool) == 1
    assert msgspec.UNSET is next(iter(running.agent.spool)).report.boot_id
