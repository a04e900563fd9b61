"""How a link begins, lives and ends."""

import asyncio

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.terminal import Terminal

FRAMES = 3
"""Enough to show the interval; boot is not counted."""
SLOW_S = 1.5
LONG_S = 60.0


@check(Level.CORE)
async def waits_for_boot_answer(terminal: Terminal) -> None:
    """Nothing is sent between boot and its answer, not even if that takes longer than a heartbeat."""
    first = await terminal.booted()
    await first.report()
    first.cut()
    link = await terminal.link()
    await link.receive_boot()

    await link.quiet(SLOW_S, "before boot was answered")

    await link.answer_boot()
    await link.report()


@check(Level.CORE)
async def interval(terminal: Terminal) -> None:
    """A report or heartbeat is sent at least every heartbeat_s seconds, and reports among them."""
    link = await terminal.booted(heartbeat_s=1)
    await terminal.within(link.frames(FRAMES + 1), f"{FRAMES} frames did not come with a heartbeat_s of 1")
    await link.report()


@check(Level.CORE)
async def interval_changes(terminal: Terminal) -> None:
    """heartbeat_s of each answer to boot is respected: it may be another on the next link."""
    first = await terminal.booted(heartbeat_s=LONG_S)
    first.cut()
    link = await terminal.booted(heartbeat_s=1)
    await terminal.within(
        link.frames(FRAMES + 1), f"{FRAMES} frames did not come when heartbeat_s was 1, after {LONG_S:g}"
    )


@check(Level.CORE, needs_command=True)
async def boot_id(terminal: Terminal) -> None:
    """boot_id is the same on each link of one start, and new after each start."""
    first = await terminal.booted()
    first.cut()
    second = await terminal.booted()
    if second.boot_id != first.boot_id:
        raise Failed("another boot_id after a reconnect")
    await terminal.restart()
    third = await terminal.booted()
    if third.boot_id == first.boot_id:
        raise Failed("the same boot_id after a restart")


@check(Level.CORE)
async def ping(terminal: Terminal) -> None:
    """A WebSocket ping is answered."""
    link = await terminal.booted()
    await link.settled()


@check(Level.CORE)
async def closes(terminal: Terminal) -> None:
    """If TMS closes the link, the client answers the close frame, and ends the connection."""
    link = await terminal.booted()
    await link.report()
    try:
        await terminal.within(link.close(), "the client did not close")
    finally:
        code = link.connection.close_code
    if code != 1000:
        raise Failed(f"the client closed with {code}, not 1000")


@check(Level.CORE, needs_command=True)
async def goodbye(terminal: Terminal) -> None:
    """A client that is asked to end (SIGTERM) sends goodbye, closes the link with 1000, and ends."""
    link = await terminal.booted()
    await link.report()
    stopping = asyncio.ensure_future(terminal.stopped())
    try:
        await link.call("goodbye", "no goodbye")
        code = await link.closed("the link was not closed")
        await stopping
    finally:
        stopping.cancel()
    if code != 1000:
        raise Failed(f"closed with {code}, not 1000")


@check(Level.CORE)
async def unknown_fields(terminal: Terminal) -> None:
    """Fields that the client does not know are ignored, in the answer to boot and in notifications."""
    link = await terminal.booted(acks=False, made_up={"by": "conformance"}, features=["made-up"])
    report = await link.report()
    await link.notify("ack", {"seq": report.seq, "made_up": [1, None]})
    await link.report()
    await link.settled()


@check(Level.CORE)
async def unknown_notification(terminal: Terminal) -> None:
    """A notification with an unknown method is ignored, not answered."""
    link = await terminal.booted()
    await link.report()
    await link.notify("made_up", {"x": 1})
    await link.settled()
    if link.answers:
        raise Failed(f"it was answered with {schemas.shown(link.answers[0])}")
    await link.report()
