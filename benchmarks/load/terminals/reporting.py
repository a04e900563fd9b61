"""Terminals that report: in open loop to measure latency, in closed loop to measure throughput."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count, cycle

from benchmarks.load.commands import Alternate, Report, Reported, Saturate
from benchmarks.load.span import NEVER, Span
from benchmarks.load.terminals.terminal import NO_TALLY, Tally, Terminal

LOW, ENOUGH = 5, 90
"""Paper in per cent, on either side of the default rule's limit."""
PATIENCE_S = 3.0
"""How long to wait after the span for unacknowledged reports."""


class SteadyTally:
    """Counts reports acknowledged within the span, and times those that were due in it."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.outcome = Reported()

    def acknowledged(self, terminal: Terminal, intended_at: float, at: float) -> None:
        self.outcome.in_all += 1
        self.outcome.acknowledged += at in self.span
        if intended_at in self.span:
            self.outcome.latencies.append(at - intended_at)


class EagerTally(SteadyTally):
    """A tally that sends the next report after each acknowledgement."""

    def acknowledged(self, terminal: Terminal, intended_at: float, at: float) -> None:
        super().acknowledged(terminal, intended_at, at)
        if at < self.span.end_at:
            terminal.report(at)


async def report_steadily(terminals: Sequence[Terminal], command: Report) -> Reported:
    tally = SteadyTally(command.span)
    _set_tally(terminals, tally)
    turns, began_at = cycle(terminals), time.monotonic()
    for number in count():
        due_at = began_at + number / command.per_second
        if due_at >= command.span.end_at:
            break
        await asyncio.sleep(max(0.0, due_at - time.monotonic()))
        next(turns).report(due_at)
    return await _settle(terminals, tally)


async def saturate(terminals: Sequence[Terminal], command: Saturate) -> Reported:
    tally = EagerTally(command.span)
    _set_tally(terminals, tally)
    for _ in range(command.window):
        for terminal in terminals:
            terminal.report(time.monotonic())
            await asyncio.sleep(0)
    await asyncio.sleep(command.span.end_at - time.monotonic())
    return await _settle(terminals, tally)


async def report_paper(terminals: Sequence[Terminal], paper: int) -> Reported:
    tally = SteadyTally(NEVER)
    _set_tally(terminals, tally)
    for terminal in terminals:
        terminal.report(time.monotonic(), paper=paper)
        await asyncio.sleep(0)
    return await _settle(terminals, tally)


async def waver(terminals: Sequence[Terminal], command: Alternate) -> Reported:
    tally = SteadyTally(command.span)
    _set_tally(terminals, tally)
    papers = cycle((ENOUGH, LOW))
    due_at = time.monotonic()
    for number in count():
        due_at += command.period_s
        if due_at >= command.span.end_at:
            break
        await asyncio.sleep(max(0.0, due_at - time.monotonic()))
        terminals[number // 2 % len(terminals)].report(due_at, paper=next(papers))
    return await _settle(terminals, tally)


def _set_tally(terminals: Sequence[Terminal], tally: Tally) -> None:
    for terminal in terminals:
        terminal.tally = tally


async def _settle(terminals: Sequence[Terminal], tally: SteadyTally) -> Reported:
    deadline = time.monotonic() + PATIENCE_S
    # Polling costs less than an event for each acknowledgement.
    while any(terminal.waiting for terminal in terminals) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    _set_tally(terminals, NO_TALLY)
    tally.outcome.unacknowledged = sum(len(terminal.waiting) for terminal in terminals)
    tally.outcome.lost_links = sum(not terminal.is_open for terminal in terminals)
    return tally.outcome
