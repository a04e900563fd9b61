"""Reports that could not be sent when they were made."""

import asyncio
from typing import Any

from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.checks.reports import keys
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import Terminal

OFFLINE_S = 4
LONG_S = 60.0
WINDOW = 2
MORE_S = 2.0
"""The time in which more would come."""


@check(Level.BACKFILL)
async def offline_reports(terminal: Terminal) -> None:
    """The client goes on reporting while there is no link, and sends these reports on the next one."""
    link = await terminal.booted()
    before = await link.report()
    again = await absence(terminal, link, OFFLINE_S)
    if again.last_seq <= before.seq:
        raise Failed(f"last_seq of boot was {again.last_seq}: no report was made without a link")
    await until_sent(again, again.last_seq)


@check(Level.BACKFILL)
async def window(terminal: Terminal) -> None:
    """The client has at most reports_per_batch reports on the way without an ack, and goes on after one."""
    with terminal.watch.judging("window"):
        link = await terminal.booted(acks=False, limits={"reports_per_batch": WINDOW})
        reports = await link.reports(WINDOW)
        await asyncio.sleep(MORE_S)
    await link.ack(reports[-1].seq)
    await link.report()


@check(Level.BACKFILL)
async def events_of_interruption(terminal: Terminal) -> None:
    """Events that only a short interruption delayed are not late, for late ones open no alert (needs events)."""
    link = await terminal.booted(acks=False)
    await link.reports(WINDOW)
    link.cut()
    again = await terminal.booted(heartbeat_s=LONG_S)
    await again.report()
    await again.settled()
    delayed = [one for one in again.sent if one.has_events and one.seq <= again.last_seq]
    if not delayed:
        raise NotTested("no report had an event")
    if late := [str(one) for one in delayed if one.is_late]:
        raise Failed(f"{late[0]} is late, with an event of a moment ago")


@check(Level.BACKFILL, needs_command=True)
async def restart(terminal: Terminal) -> None:
    """Reports without an ack survive a restart of the client, and are sent again with boot_id of the earlier boot."""
    link = await terminal.booted(acks=False)
    sent = keys(await link.reports(WINDOW))
    await _restart(terminal)
    again = await terminal.booted()
    while missing := [key for key in sent if key not in keys(again.sent)]:
        if (await again.report()).boot_id == again.boot_id:
            raise Failed(f"report {missing[0][1]} of the boot before was not sent again")


@check(Level.BACKFILL, needs_command=True)
async def restart_ack(terminal: Terminal) -> None:
    """An ack with boot_id of an earlier boot is respected, and that of this boot does not count for an earlier one."""
    first = await terminal.booted(acks=False)
    sent = await first.reports(WINDOW + 1)
    await _restart(terminal)
    second = await terminal.booted(acks=False)
    await second.reports(1)
    await second.ack(sent[0].seq, first.boot_id)
    await second.ack(sent[-1].seq)
    await second.settled()
    await second.close()
    third = await terminal.booted(acks=False)
    again = await third.report()
    if keys([again]) != keys(sent[1:2]):
        raise Failed(f"report {sent[0].seq} of the boot before was acknowledged; then {again} was sent first")


async def absence(terminal: Terminal, link: Link, seconds: int, **answer: Any) -> Link:
    """The next link, after TMS was away for so long."""
    terminal.refuse(503, Retry_After=str(seconds))
    number = len(terminal.attempts)
    link.cut()
    await terminal.attempt(number)
    await asyncio.sleep(seconds)
    return await terminal.comes_back(**answer)


async def until_sent(link: Link, seq: int) -> None:
    while not any(one.boot_id == link.boot_id and one.seq >= seq for one in link.sent):
        await link.report()


async def _restart(terminal: Terminal) -> None:
    await terminal.stopped()
    await terminal.start()
