"""When and how often a client comes back."""

import asyncio
import math
from collections.abc import Awaitable, Callable

from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import ABSENCE_S, TIMER_S, Terminal

ENOUGH = {5: 1.0, 10: 1.5}
"""So many waits take so many seconds. Ten random parts of a second are shorter once in 60,000 times; ten reconnects at
once are not that long, not even on a busy machine."""
LEAST_DIFFERENCE_S = 0.05
DRAINS = 5
DRAIN = {"reconnect_after_s": 0.3, "spread_s": 1.0}


@check(Level.CORE)
async def reconnects(terminal: Terminal) -> None:
    """The client comes back after TMS closed the link, and after the connection was reset."""
    link = await terminal.booted()
    await link.close()
    link = await terminal.comes_back()
    link.cut()
    await terminal.comes_back()


@check(Level.CORE, is_long=True)
async def back_off(terminal: Terminal) -> None:
    """The client waits for a random time before each reconnect: it does not come back at once again and again."""
    await backs_off(terminal, _boot_and_cut)


@check(Level.CORE, is_long=True)
async def drain(terminal: Terminal) -> None:
    """The client closes the link after drain, and comes back after reconnect_after_s and a random part of spread_s."""
    waits = []
    for _ in range(DRAINS):
        link = await terminal.booted()
        number, at = len(terminal.attempts), asyncio.get_running_loop().time()
        await link.notify("drain", DRAIN)
        await link.closed("the link was not closed after drain")
        waits.append((await terminal.attempt(number)).at - at)
    if min(waits) < DRAIN["reconnect_after_s"] - TIMER_S:
        raise Failed(f"it waited {_listed(waits)} s")
    _must_differ(waits)


@check(Level.FULL, needs_command=True)
async def bad_frames(terminal: Terminal) -> None:
    """The client waits for at least a minute after the close code 4400 (bad frames)."""
    await _waits_after(terminal, 4400)


@check(Level.FULL, needs_command=True)
async def revoked(terminal: Terminal) -> None:
    """The client comes back rarely, or not at all, after the close code 4401 (credential revoked)."""
    await _waits_after(terminal, 4401)


@check(Level.FULL, needs_command=True)
async def replaced(terminal: Terminal) -> None:
    """The client waits for at least a minute after the close code 4409 (takeover)."""
    await _waits_after(terminal, 4409)


@check(Level.FULL, needs_command=True)
async def too_large(terminal: Terminal) -> None:
    """The client does not come back at once after the close code 4413 (frame too large)."""
    await _waits_after(terminal, 4413)


@check(Level.FULL, needs_command=True)
async def too_fast(terminal: Terminal) -> None:
    """The client does not come back at once after the close code 4429 (too many frames)."""
    await _waits_after(terminal, 4429)


async def backs_off(terminal: Terminal, end: Callable[[Link], Awaitable[None]]) -> None:
    """Fails if the waits after the `end` of links are too short, or all the same."""
    waits: list[float] = []
    while sum(waits) < ENOUGH.get(len(waits), math.inf):
        if len(waits) == max(ENOUGH):
            raise Failed(f"it waited {_listed(waits)} s")
        link = await terminal.link()
        number = len(terminal.attempts)
        await end(link)
        waits.append((await terminal.attempt(number)).at - link.ended_at)
    _must_differ(waits)


def _must_differ(waits: list[float]) -> None:
    if max(waits) - min(waits) < LEAST_DIFFERENCE_S:
        raise Failed(f"it waited {_listed(waits)} s: not random")


def _listed(waits: list[float]) -> str:
    return ", ".join(f"{wait:.2f}" for wait in waits)


async def _boot_and_cut(link: Link) -> None:
    await link.receive_boot()
    await link.answer_boot()
    link.cut()


async def _waits_after(terminal: Terminal, code: int) -> None:
    link = await terminal.booted()
    await link.report()
    await link.close(code)
    await terminal.is_absent(ABSENCE_S)
