"""The light terminal reconnects like an agent."""

import asyncio

from tests.faults.scenario.light import LightTerminal
from tms.protocol.credential import PlainCredential

DIALS = 2


async def test_a_link_that_ends_before_it_was_accepted_is_dialled_again():
    """A proxy may die after it accepted the request; picows calls no callback then."""
    dialled = asyncio.Semaphore(0)

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        dialled.release()

    async with await asyncio.start_server(die, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        terminal = LightTerminal(f"ws://127.0.0.1:{port}/", PlainCredential("T1", "secret"))
        life = asyncio.create_task(terminal.run())

        async with asyncio.timeout(30):
            for _ in range(DIALS):
                await dialled.acquire()

        life.cancel()
