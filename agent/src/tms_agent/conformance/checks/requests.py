"""Requests of TMS, above all commands."""

from typing import Any

from tms_agent.conformance import schemas
from tms_agent.conformance.check import Failed, Level, NotTested, check
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import Terminal

UNKNOWN_METHOD = -32601
UNKNOWN = "conformance_unknown"
PING = "ping"
"""The only command that is executed: it has no effect."""
SEVERAL = 4
WRONG_MEMBERS: tuple[dict[str, Any], ...] = ({"args": [1]}, {"args": None}, {"deadline": 5}, {"name": {}})


@check(Level.CORE)
async def unknown_request(terminal: Terminal) -> None:
    """A request with an unknown method is answered with the error -32601."""
    link = await terminal.booted()
    answer = await link.request(7, "made_up", {})
    if answer.get("error", {}).get("code") != UNKNOWN_METHOD:
        raise Failed(f"answered {schemas.shown(answer)}")


@check(Level.CORE)
async def answer_id(terminal: Terminal) -> None:
    """An answer has the id of its request, with its type: a number or a string."""
    link = await terminal.booted()
    for request_id in (11, "c12", "13", 2**53 - 1):
        answer = await link.command(request_id, UNKNOWN)
        _check_id(answer, request_id)


@check(Level.CORE)
async def unknown_command(terminal: Terminal) -> None:
    """A command that the client does not know is answered with an error."""
    link = await terminal.booted()
    answer = await link.command(14, UNKNOWN)
    if "error" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")


@check(Level.FULL)
async def command(terminal: Terminal) -> None:
    """The command ping, if it is among the capabilities, is answered with a result."""
    link = await that_pings(terminal)
    answer = await link.command("ping-1", PING, made_up=1)
    if "result" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")


@check(Level.FULL)
async def commands_at_once(terminal: Terminal) -> None:
    """Several commands at once are all answered, each with its own id."""
    link = await that_pings(terminal)
    ids = [f"ping-{number}" for number in range(SEVERAL)]
    for request_id in ids:
        params = link.command_params(PING)
        await link.send({"jsonrpc": "2.0", "id": request_id, "method": "command", "params": params})
    answered = [(await link.answer())["id"] for _ in ids]
    if sorted(answered) != ids:
        raise Failed(f"answered {', '.join(map(str, answered))}")


@check(Level.FULL)
async def command_deadline(terminal: Terminal) -> None:
    """A command whose deadline has passed is not executed: it is answered with an error, or not at all."""
    link = await that_pings(terminal)
    params = link.command_params(PING, within_s=-60)
    await link.send({"jsonrpc": "2.0", "id": "late", "method": "command", "params": params})
    await link.send({"jsonrpc": "2.0", "id": "fence", "method": "command", "params": link.command_params(UNKNOWN)})
    answer = await link.answer()
    if answer["id"] == "late" and "error" not in answer:
        raise Failed(f"answered {schemas.shown(answer)}")


@check(Level.FULL)
async def command_args(terminal: Terminal) -> None:
    """args, or another member of a command, of a wrong type leave the client working; it may answer with an error."""
    link = await that_pings(terminal)
    for number, wrong in enumerate(WRONG_MEMBERS):
        params = link.command_params(PING, **wrong)
        await link.send({"jsonrpc": "2.0", "id": f"wrong-{number}", "method": "command", "params": params})
    await link.send({"jsonrpc": "2.0", "id": "right", "method": "command", "params": link.command_params(PING)})
    answer = await link.answer()
    while answer["id"] != "right":
        if answer["id"] not in ("wrong-0", "wrong-1") and "error" not in answer:
            raise Failed(f"answered {schemas.shown(answer)}")
        answer = await link.answer()


async def that_pings(terminal: Terminal, **answer: Any) -> Link:
    link = await terminal.booted(**answer)
    if PING not in link.boot.get("capabilities", ()):
        raise NotTested(f"{PING} is not among the capabilities")
    return link


def _check_id(answer: dict[str, Any], request_id: Any) -> None:
    given = answer.get("id")
    if type(given) is not type(request_id) or given != request_id:
        raise Failed(f"request {schemas.shown(request_id)} was answered with the id {schemas.shown(given)}")
