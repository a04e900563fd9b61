"""A server that is broken, or not TMS: the client neither crashes nor floods it, and works again with a good one."""

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection

from tms_agent.conformance.check import Failed, Level, check
from tms_agent.conformance.checks.reconnecting import backs_off
from tms_agent.conformance.link import Link
from tms_agent.conformance.terminal import Terminal

NONSENSE = (
    "",
    "garbage",
    "null",
    "[]",
    "{}",
    '{"jsonrpc": "1.0", "method": "ack", "params": {"seq": 1}}',
    '{"jsonrpc": "2.0"}',
    '{"jsonrpc": "2.0", "method": 5}',
    '{"jsonrpc": "2.0", "method": "ack"}',
    '{"jsonrpc": "2.0", "method": "ack", "params": {"seq": "1"}}',
    '{"jsonrpc": "2.0", "method": "ack", "params": {"seq": -1}}',
    '{"jsonrpc": "2.0", "method": "ack", "params": [1]}',
    '{"jsonrpc": "2.0", "method": "drain", "params": {"reconnect_after_s": "0", "spread_s": null}}',
    '{"jsonrpc": "2.0", "id": {}, "method": "command", "params": {}}',
    '{"jsonrpc": "2.0", "id": 5, "method": "command", "params": {"name": 1}}',
    '{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "made up"}}',
    '{"jsonrpc": "2.0", "id": 99, "result": {}}',
)
STRANGE_HEARTBEATS = (0, -5, 1e300)
WRONG_RESULTS: tuple[Any, ...] = (
    None,
    [],
    {},
    {"session": "1", "heartbeat_s": "1", "server_time": 5},
    {"session": 1, "heartbeat_s": 1, "server_time": "yesterday"},
)
ZERO_LIMITS = {"frame_bytes": 0, "frames_per_minute": 0, "frames_burst": -1, "reports_per_batch": 0}
HUGE_BYTES = 4 * 1024 * 1024
DEPTH = 100_000
MOST_FRAMES = 60
"""The limit within a second or two; the burst that TMS allows is 50."""
SLOW_S = 3.0
HTML = b"<!doctype html><title>Welcome</title>"


@check(Level.HOSTILE)
async def nonsense(terminal: Terminal) -> None:
    """Frames that are not JSON, no messages, or have members of wrong types."""
    link = await terminal.booted()
    for text in NONSENSE:
        await link.send(text)
    await _works(terminal, link)


@check(Level.HOSTILE)
async def binary(terminal: Terminal) -> None:
    """A binary frame."""
    link = await terminal.booted()
    await link.send(b"\x00\xff\xfe")
    await _works(terminal, link)


@check(Level.HOSTILE)
async def not_utf8(terminal: Terminal) -> None:
    """A text frame that is not UTF-8."""
    link = await terminal.booted()
    await link.connection.send(b'{"jsonrpc": "2.0", "method": "\xff"}', text=True)
    await _works(terminal, link)


@check(Level.HOSTILE)
async def huge(terminal: Terminal) -> None:
    """A frame of 4 MiB."""
    link = await terminal.booted()
    await link.send('{"jsonrpc": "2.0", "method": "made_up", "params": {"x": "' + "x" * HUGE_BYTES + '"}}')
    await _works(terminal, link)


@check(Level.HOSTILE)
async def deep(terminal: Terminal) -> None:
    """A frame with 100,000 nested arrays."""
    link = await terminal.booted()
    await link.send('{"jsonrpc": "2.0", "method": "made_up", "params": ' + "[" * DEPTH + "]" * DEPTH + "}")
    await _works(terminal, link)


@check(Level.HOSTILE)
async def impossible_ack(terminal: Terminal) -> None:
    """An ack of reports that were never sent, also of an unknown boot: later reports are sent nevertheless."""
    link = await terminal.booted()
    await link.report()
    await link.notify("ack", {"seq": 2**53 - 1})
    await link.notify("ack", {"seq": 1, "boot_id": "of-nobody"})
    await link.settled()
    await link.report()


@check(Level.HOSTILE)
async def early_frames(terminal: Terminal) -> None:
    """A notification, an ack and a command before the answer to boot."""
    link = await terminal.link()
    await link.receive_boot()
    await link.notify("made_up", {})
    await link.notify("ack", {"seq": 0})
    await link.send({"jsonrpc": "2.0", "id": 1000, "method": "command", "params": link.command_params("made_up")})
    await link.answer_boot()
    await _works(terminal, link)


@check(Level.HOSTILE, is_long=True)
async def wrong_boot_answers(terminal: Terminal) -> None:
    """An answer to boot with members that are missing or of wrong types."""
    for result in WRONG_RESULTS:
        link = await terminal.link()
        await link.receive_boot()
        await link.send(link.boot_answer(result))
        await asyncio.wait([asyncio.ensure_future(link.connection.wait_closed())], timeout=1)
        link.cut()
    await _works(terminal)


@check(Level.HOSTILE, is_long=True)
async def boot_errors(terminal: Terminal) -> None:
    """An error as the answer to boot: the client comes back, but not at once."""
    await backs_off(terminal, _refuse_boot)
    await _works(terminal)


@check(Level.HOSTILE, is_long=True)
async def strange_heartbeats(terminal: Terminal) -> None:
    """heartbeat_s of zero, less than zero, or for ever."""
    for heartbeat_s in STRANGE_HEARTBEATS:
        link = await terminal.booted(heartbeat_s=heartbeat_s)
        await asyncio.wait([asyncio.ensure_future(link.connection.wait_closed())], timeout=1)
        if link.count > MOST_FRAMES:
            raise Failed(f"{link.count} frames in a second, with heartbeat_s {heartbeat_s:g}")
        link.cut()
    await _works(terminal)


@check(Level.HOSTILE)
async def zero_limits(terminal: Terminal) -> None:
    """Limits of zero, and less."""
    link = await terminal.link()
    await link.receive_boot()
    result = {"session": 1, "heartbeat_s": 1, "server_time": "2026-11-25T00:30:00Z", "limits": ZERO_LIMITS}
    await link.send(link.boot_answer(result))
    await asyncio.wait([asyncio.ensure_future(link.connection.wait_closed())], timeout=2)
    link.cut()
    await _works(terminal)


@check(Level.HOSTILE)
async def slow_boot_answer(terminal: Terminal) -> None:
    """An answer to boot after seconds; meanwhile the client waits."""
    link = await terminal.link()
    await link.receive_boot()
    await link.quiet(SLOW_S, "before boot was answered")
    await link.answer_boot()
    await _works(terminal, link)


@check(Level.HOSTILE)
async def slow_handshake(terminal: Terminal) -> None:
    """An answer to the handshake after seconds; meanwhile the client waits."""
    link = await terminal.booted()
    terminal.answer_handshake(_wait)
    number = len(terminal.attempts)
    link.cut()
    await terminal.attempt(number)
    await terminal.is_absent(SLOW_S)
    await _works(terminal)


@check(Level.HOSTILE, is_long=True)
async def closes_at_once(terminal: Terminal) -> None:
    """Links that end at once, before boot: the client comes back, but not at once."""
    await backs_off(terminal, _cut)
    await _works(terminal)


@check(Level.HOSTILE, is_long=True)
async def cut_handshakes(terminal: Terminal) -> None:
    """Connections that end before the handshake is answered."""
    link = await terminal.booted()

    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    for _ in range(3):
        terminal.answer_handshake(cut)
    link.cut()
    await _works(terminal)


@check(Level.HOSTILE)
async def web_page(terminal: Terminal) -> None:
    """A page with the status 200 instead of a link."""
    link = await terminal.booted()
    for _ in range(2):
        terminal.refuse(200, body=HTML, Content_Type="text/html")
    link.cut()
    await _works(terminal)


@check(Level.HOSTILE)
async def other_subprotocol(terminal: Terminal) -> None:
    """A server that does not select tms.v1 gets no boot."""
    link = await terminal.booted()
    terminal.speaks = ""
    link.cut()
    link = await terminal.link()
    terminal.speaks = "tms.v1"
    await asyncio.wait([asyncio.ensure_future(link.connection.wait_closed())], timeout=SLOW_S)
    if link.count:
        raise Failed("it sent a frame")
    link.cut()
    await _works(terminal)


@check(Level.HOSTILE)
async def redirect(terminal: Terminal) -> None:
    """A redirect to another server, as a portal of a network sends it: that one does not get the credential."""
    link = await terminal.booted()
    received = bytearray()

    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(65_536))
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(portal, terminal.host, 0) as server:
        address = f"{terminal.host}:{server.sockets[0].getsockname()[1]}"
        terminal.refuse(302, Location=f"ws://{address}/login")
        link.cut()
        await _works(terminal)
    if terminal.secret.encode() in received:
        raise Failed(f"it sent the credential to {address}")


async def _works(terminal: Terminal, link: Link | None = None) -> None:
    """The client sends a report, on this link or on the next one."""
    try:
        if link is not None:
            await link.report()
            await link.report()
            return
    except Failed:
        terminal.is_alive()
    link = await terminal.comes_back()
    await link.report()
    terminal.is_alive()


async def _refuse_boot(link: Link) -> None:
    await link.receive_boot()
    error = {"code": -32004, "message": "made up", "data": {"type": "tms:unavailable", "where": "$"}}
    await link.send({"jsonrpc": "2.0", "id": link.boot_request, "error": error})
    link.ended_at = asyncio.get_running_loop().time()
    await asyncio.wait([asyncio.ensure_future(link.connection.wait_closed())], timeout=1)
    link.cut()


async def _wait(connection: ServerConnection) -> None:
    await asyncio.sleep(SLOW_S)


async def _cut(link: Link) -> None:
    link.cut()
