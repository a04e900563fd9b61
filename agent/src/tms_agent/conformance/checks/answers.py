"""Answers that a client keeps until `answered` names them, so that nothing is carried out twice or forgotten."""

from typing import Any

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.checks.requests import PING, UNKNOWN, that_pings
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import Terminal

FEATURES = ["answered"]
ID = "kept"


@check(Level.FULL)
async def answered(terminal: Terminal) -> None:
    """An answer is sent again on each link until answered names it, and not after; if TMS has the feature answered."""
    _, link = await _sent_again(terminal)
    await link.notify("answered", {"id": ID})
    await link.settled()
    await link.close()
    last = await terminal.booted(features=FEATURES)
    await last.report()
    if last.answers:
        raise Failed("the answer was sent again after answered")


@check(Level.FULL, needs_command=True)
async def answered_after_restart(terminal: Terminal) -> None:
    """An answer that answered has not named survives a restart of the client."""
    await _sent_again(terminal)
    await terminal.stopped()
    await terminal.start()
    link = await terminal.booted(features=FEATURES)
    await link.report()
    if ID not in [answer["id"] for answer in link.answers]:
        raise Failed("the answer was not sent again")


@check(Level.FULL)
async def carried_out_once(terminal: Terminal) -> None:
    """A request that comes again, with the same id, is not carried out again: it has the same answer, or none."""
    first, link = await _sent_again(terminal)
    await link.send({"jsonrpc": "2.0", "id": ID, "method": "command", "params": link.command_params(PING)})
    await link.send({"jsonrpc": "2.0", "id": "fence", "method": "command", "params": link.command_params(UNKNOWN)})
    while (answer := await link.answer())["id"] != "fence":
        if answer != first:
            raise Failed(f"first it answered {schemas.shown(first)}, then {schemas.shown(answer)}")


async def _sent_again(terminal: Terminal) -> tuple[dict[str, Any], Link]:
    """An answer, and the next link, on which it came again."""
    link = await that_pings(terminal, features=FEATURES)
    first = await link.command(ID, PING)
    link.cut()
    link = await terminal.booted(features=FEATURES)
    await link.report()
    if not link.answers:
        raise NotTested("the answer was not sent again: the client does not know this feature")
    return first, link
