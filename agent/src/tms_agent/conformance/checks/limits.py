"""Limits that the answer to boot gives."""

import asyncio

from tms_agent.conformance.check import Level, NotTested, check
from tms_agent.conformance.checks.backfill import absence, until_sent
from tms_agent.conformance.terminal import Terminal

FRAME_BYTES = 4096
"""No TMS allows less."""
BACKLOG_S = 20
RATE = {"frames_per_minute": 20, "frames_burst": 2}
RATE_S = 8
LOGS = "collect_logs"
REQUESTS = 60


@check(Level.FULL, is_long=True)
async def frame_bytes(terminal: Terminal) -> None:
    """A backlog that is larger than frame_bytes of this link is divided, and arrives."""
    link = await terminal.booted()
    await link.report()
    with terminal.watch.judging("frame-size"):
        again = await absence(terminal, link, BACKLOG_S, limits={"frame_bytes": FRAME_BYTES})
        await until_sent(again, again.last_seq)
    if again.bytes < FRAME_BYTES:
        raise NotTested(f"the reports of {BACKLOG_S} s have {again.bytes} bytes")


@check(Level.FULL, is_long=True)
async def frames_per_minute(terminal: Terminal) -> None:
    """frames_per_minute and frames_burst of this link are respected, also if they are lower than usual."""
    with terminal.watch.judging("frame-rate"):
        link = await terminal.booted(limits=RATE)
        await asyncio.sleep(RATE_S)
    await link.settled()


@check(Level.FULL)
async def answer_bytes(terminal: Terminal) -> None:
    """A result that is larger than frame_bytes of this link is not sent, but refused (needs collect_logs)."""
    link = await terminal.booted(limits={"frames_per_minute": 6000, "frames_burst": 1000, "frame_bytes": FRAME_BYTES})
    if LOGS not in link.boot.get("capabilities", ()):
        raise NotTested(f"{LOGS} is not among the capabilities")
    for number in range(REQUESTS):  # the client may log each
        await link.request(number, "made_up_by_conformance_to_fill_the_log", {})
    with terminal.watch.judging("frame-size"):
        answer = await link.command("logs", LOGS, args={"lines": 100})
    if "error" not in answer:
        raise NotTested("the result was small enough")
