"""The socket writer on plain uvicorn, without TMS."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from consumers.socket_writer import QueuedWriter, writer_of
from tests.support.link.raw_client import Client, Closed, Lost
from tests.support.polling import DEADLINE_S
from tests.support.services import free_port
from tms.protocol import limits


class Application:
    """Answers each message with the number of messages that it contains."""

    def __init__(self) -> None:
        self.gave_up: list[bool] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with writer_of(scope, receive, send) as wire:
            assert isinstance(wire, QueuedWriter)
            try:
                await wire.deliver(lambda text: flood(wire, int(text)))
            finally:
                self.gave_up.append(wire.gave_up)


def flood(wire: QueuedWriter, times: int) -> None:
    for _ in range(times):
        wire.send("x" * 60_000)


class StartedServer(uvicorn.Server):
    """Sets `has_started` once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.has_started.set()


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def port(application: Application) -> Any:
    config = uvicorn.Config(application, port=free_port(), ws="websockets-sansio", lifespan="off", log_config=None)
    server = StartedServer(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.has_started.wait(), DEADLINE_S)
    yield config.port
    server.should_exit = True
    await serving


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    client = Client(port, receive_buffer=4096)
    yield client
    client.vanish()


async def test_messages_arrive_in_order_on_any_server(client):
    def exchange() -> list[Any]:
        client.dial()
        client.shake_hands("/")
        client.send("2")
        return [client.receive(), client.receive()]

    assert await asyncio.to_thread(exchange) == ["x" * 60_000] * 2


async def test_a_reader_that_does_not_read_is_closed_on_any_server(application, client):
    def read_nothing_and_then_all() -> Closed | Lost:
        client.dial()
        client.shake_hands("/")
        client.send("1002")
        assert client.socket.recv(1, socket.MSG_PEEK)
        return client.receive_until_end()

    end = await asyncio.to_thread(read_nothing_and_then_all)

    assert isinstance(end, Closed | Lost)
    assert application.gave_up == [True]


async def test_a_message_that_is_too_large_is_closed_on_any_server(client):
    def send_too_much() -> Closed | Lost:
        client.dial()
        client.shake_hands("/")
        client.send("1" * (limits.FRAME_BYTES + 1))
        return client.receive_until_end()

    assert await asyncio.to_thread(send_too_much) == Closed(4413, f"frame too large; limit {limits.FRAME_BYTES} bytes")
