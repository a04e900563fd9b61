"""Connects terminals of the load, as agents do."""

import asyncio
import socket
import time
from collections.abc import Iterable

from picows import WSError, WSInvalidStatusError, ws_connect

from benchmarks.load.client import Client
from benchmarks.load.commands import Dial, Dialled
from benchmarks.load.terminals.terminal import Terminal
from benchmarks.systems.address import Address
from tms_agent.connection.dialer import DIAL_TIMEOUT_S
from tms_agent.connection.link import BOOT_ANSWER_TIMEOUT_S

FULL = "503"


async def dial(address: Address, command: Dial) -> tuple[list[Terminal], Dialled]:
    """Connect and boot terminals, with a limited number in progress."""
    uids, terminals, outcome = enumerate(command.uids), list[Terminal](), Dialled(began_at=time.monotonic())

    async def caller() -> None:
        for turn, uid in uids:
            terminal = Terminal(address.protocol, uid)
            try:
                await call_any(address, terminal, command.source, range(turn, turn + len(address.ports)))
            except (WSError, OSError, TimeoutError) as error:
                outcome.failures.append(f"{uid}: {error!r}")
            else:
                terminals.append(terminal)

    async with asyncio.TaskGroup() as callers:
        for _ in range(command.at_once):
            callers.create_task(caller())
    outcome.ended_at, outcome.booted = time.monotonic(), len(terminals)
    return terminals, outcome


async def call_any(address: Address, terminal: Terminal, source: str, turns: Iterable[int]) -> list[Exception]:
    """Call like a load balancer: skip a process that is down or full; returns why each was skipped."""
    passed_over: list[Exception] = []
    for turn in turns:
        try:
            await call(address, terminal, source, turn=turn)
        except (ConnectionRefusedError, ConnectionResetError) as error:
            passed_over.append(error)
        except WSInvalidStatusError as error:
            if FULL not in str(error):
                raise
            passed_over.append(error)
        else:
            return passed_over
    raise passed_over[-1]


async def call(address: Address, terminal: Terminal, source: str, *, turn: int = 0) -> None:
    """`turn` selects the server process. The timeouts are those of the agent."""
    path, headers = address.protocol.terminal_path(terminal.uid), address.protocol.handshake(terminal.uid)
    async with asyncio.timeout(DIAL_TIMEOUT_S):
        await connect(address.base(turn), terminal, path, headers.items(), source)
    try:
        async with asyncio.timeout(BOOT_ANSWER_TIMEOUT_S):
            await terminal.booted
    except TimeoutError:
        terminal.drop()
        raise ConnectionError("the boot was not answered") from None


async def connect(base: str, client: Client, path: str, headers: Iterable[tuple[str, str]], source: str) -> None:
    await ws_connect(
        lambda: client,
        f"ws://{base}{path}",
        extra_headers=list(headers),
        websocket_handshake_timeout=DIAL_TIMEOUT_S,
        read_buffer_init_size=2048,
        socket_factory=lambda _url: _socket_from(source),
    )
    if not client.is_open:  # picows raises nothing when the connection is closed before the handshake is answered
        raise ConnectionResetError("closed during the handshake")


def _socket_from(source: str) -> socket.socket:
    """Its port is chosen when it connects.

    Chosen by `bind`, the port would be unique at this address: from 14,000 on the kernel takes 9 ms to find one, and
    after 28,000 there is none.
    """
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
    made.bind((source, 0))
    return made
