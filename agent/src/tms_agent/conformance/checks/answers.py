"""Answers that TMS confirms, if both sides have the feature `answered`."""

from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.checks.requests import PING, that_pings
from tms_agent.conformance.terminal import Terminal

FEATURES = ["answered"]


@check(Level.FULL)
async def sent_once(terminal: Terminal) -> None:
    """An answer that was sent is not sent again on the next link, if TMS does not have the feature answered."""
    link = await that_pings(terminal)
    await link.command("once", PING)
    await link.settled()
    await link.close()
    again = await terminal.booted()
    await again.report()
    if again.answers:
        raise Failed("it was sent again")


@check(Level.FULL)
async def answered(terminal: Terminal) -> None:
    """An answer is sent again on each link until answered names it, and not after; if TMS has the feature answered."""
    link = await that_pings(terminal, features=FEATURES)
    await link.command("kept", PING)
    link.cut()
    second = await terminal.booted(features=FEATURES)
    await second.report()
    if not second.answers:
        raise NotTested("the answer was not sent again: the client does not know this feature")
    await second.notify("answered", {"id": "kept"})
    await second.settled()
    await second.close()
    third = await terminal.booted(features=FEATURES)
    await third.report()
    if third.answers:
        raise Failed("the answer was sent again after answered")
