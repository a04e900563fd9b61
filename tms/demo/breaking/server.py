"""The simulator's end of the control socket."""

import asyncio
import contextlib
import os
from pathlib import Path

import msgspec

from tms.demo.breaking.breaker import Breaker
from tms.demo.breaking.messages import MAX_LINE, Answer, decode_request, encode

DEADLINE_S = 5.0


async def serve(path: Path, breaker: Breaker) -> None:
    """Serve until it is cancelled. Only the owner of the files may connect."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError, ValueError):  # ValueError: the line is too long
            async with asyncio.timeout(DEADLINE_S):
                writer.write(encode(_answer(breaker, await reader.readline())))
                await writer.drain()
        writer.close()

    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(connected, path, limit=MAX_LINE)
    finally:
        os.umask(mask)
    await server.serve_forever()


def _answer(breaker: Breaker, line: bytes) -> Answer:
    try:
        return breaker.answer(decode_request(line))
    except msgspec.MsgspecError:
        return Answer(error="unreadable")
