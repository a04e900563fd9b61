"""A terminal for tests: a WebSocket client that uses only the frames of TMS."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.polling import DEADLINE_S


class Terminal:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    async def connect(cls, url: str, credential: str, *, forwarded_for: str | None = None, **options: Any) -> Self:
        """`forwarded_for`: the client's address in the header of a proxy."""
        headers = {"Authorization": f"Bearer {credential}"}
        if forwarded_for:
            headers["X-Forwarded-For"] = forwarded_for
        socket = await connect(
            url,
            subprotocols=[Subprotocol("tms.v1")],
            additional_headers=headers,
            compression=None,
            open_timeout=DEADLINE_S,
            **options,
        )
        return cls(socket)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def boot(self, boot_id: str = "boot-1", **params: Any) -> dict[str, Any]:
        """The result of `boot`."""
        await self.call("boot", call_id=1, boot_id=boot_id, **params)
        answer = await self.receive()
        assert "result" in answer, answer
        return answer["result"]

    async def report(self, seq: int, **params: Any) -> None:
        await self.call("report", **report(seq, **params))

    async def call(self, method: str, *, call_id: Any = None, **params: Any) -> None:
        frame = {"jsonrpc": "2.0", "method": method, "params": params}
        await self.send(frame if call_id is None else frame | {"id": call_id})

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S):
            return json.loads(await self.socket.recv())

    async def acknowledged(self, seq: int) -> None:
        """Returns when everything up to `seq` is acknowledged."""
        while (await self.receive()).get("params", {}).get("seq", 0) < seq:
            pass

    async def closed(self) -> int | None:
        """The close code, once the server has closed."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(DEADLINE_S):
                while True:  # unread frames would delay the close frame behind them
                    await self.socket.recv()
        return self.socket.close_code


def report(seq: int, **params: Any) -> dict[str, Any]:
    return {"seq": seq, "at": datetime.now(UTC).isoformat(), **params}
