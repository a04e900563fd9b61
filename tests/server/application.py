"""An ASGI application whose behaviour is selected by the path, and which reports what it receives."""

import asyncio
import gc
import json
import time
from collections.abc import Awaitable
from functools import cache
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any
from urllib.parse import parse_qs

from tms.server.asgi import Message, Receive, Scope, Send


def text(number: int, size: int) -> str:
    """A unique message, so that a lost, torn or repeated byte is detected."""
    head = f"{number}:"
    return head + "".join(chr(97 + (number * 7 + i) % 26) for i in range(64)) * ((size - len(head)) // 64 + 1)


class Application:
    server: Any
    """The server that runs it."""

    def __init__(self) -> None:
        self.is_ready = False
        self.running = 0
        self.renew()

    def renew(self) -> None:
        self.early = self.sent = self.received = self.most_at_once = 0
        self.ends: list[int] = []
        self.gate = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.early += not self.is_ready
        if scope["type"] == "http":
            await self.answer(scope, receive, send)
            return
        self.running += 1
        try:
            if scope["path"] == "/consumer":
                await channels_consumer()(scope, receive, send)
            else:
                await Socket(self, scope, receive, send).run()
        finally:
            self.running -= 1

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):  # the client may close before everything is received
            pass
        if scope["path"] == "/half":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RuntimeError("boom")
        if scope["path"] == "/stream":
            await self.stream(send)
            return
        body = await self.body(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def stream(self, send: Send, parts: int = 100, size: int = 100_000) -> None:
        head = [(b"content-length", b"%d" % (parts * size))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for number in range(parts):
            await send({"type": "http.response.body", "body": bytes(size), "more_body": number < parts - 1})
            self.sent += 1

    async def body(self, scope: Scope) -> bytes:
        match scope["path"].strip("/").split("/"):
            case ["open-gate"]:
                self.gate.set()
            case ["renew"]:
                self.renew()
                self.server.counters.clear()
            case ["cycle"]:
                knot: list[object] = []
                knot.append(knot)
            case ["garbage"]:
                return json.dumps(garbage()).encode()
            case ["bytes", size]:
                self.sent += 1
                return bytes(int(size))
            case ["wait"]:
                await self.gate.wait()
            case ["fail"]:
                raise RuntimeError("boom")
            case ["scope"]:
                return repr(scope).encode()
        return json.dumps(self.facts()).encode()

    def facts(self) -> dict[str, Any]:
        sockets = self.server.sockets()
        return {
            "counters": self.server.counters,
            "connections": len(self.server.connections) + len(sockets),
            "applications": len(self.server.shared.applications.running),
            "inside": self.server.acceptor.inside,
            "handshaking": len(self.server.acceptor.handshaking),
            "sockets": len(sockets),
            "state": [sorted(vars(socket)) for socket in sockets],
            "unwritten": sum(socket.unwritten for socket in sockets),
            "queued": sum(s.application_queue.qsize() for s in sockets if hasattr(s, "application_queue")),
            "sent": self.sent,
            "received": self.received,
            "most_at_once": self.most_at_once,
            "running": self.running,
            "ends": self.ends,
            "early": self.early,
            "send_buffers": [buffer_size(socket.transport) for socket in sockets],
            "gc_threshold": gc.get_threshold(),
            "gc_passes": gc.get_stats()[1]["collections"],
            "frozen": gc.get_freeze_count(),
            "now": time.time(),
        }


def buffer_size(transport: asyncio.Transport) -> int:
    size: int = transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_SNDBUF)
    return size


def garbage() -> int:
    """Number of objects that only the garbage collector can free."""
    return gc.collect()


class Socket:
    """One WebSocket, with the behaviour of its path."""

    def __init__(self, application: Application, scope: Scope, receive: Receive, send: Send) -> None:
        self.app, self.scope, self.receive, self.send = application, scope, receive, send
        self.query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}

    async def run(self) -> None:
        assert (await self.receive())["type"] == "websocket.connect"
        await getattr(self, self.scope["path"].strip("/"))()

    async def accept(self) -> None:
        chosen = self.query.get("subprotocol")
        headers = [(b"x-tms", b"1"), (b"x-tms", b"2")]
        await self.send({"type": "websocket.accept", "subprotocol": chosen, "headers": headers})

    async def until_closed(self, each: Any = None) -> None:
        while (message := await self.receive())["type"] != "websocket.disconnect":
            self.app.received += 1
            if each:
                await each(message)
        self.app.ends.append(message["code"])

    async def repeat(self, message: Message) -> None:
        await self.send(message | {"type": "websocket.send"})

    # Paths

    async def echo(self) -> None:
        await self.accept()
        await self.until_closed(self.repeat)

    board = echo

    async def count(self) -> None:
        async def length(message: Message) -> None:
            await self.send({"type": "websocket.send", "text": str(len(message["text"]))})

        await self.accept()
        await self.until_closed(length)

    async def hold(self) -> None:
        """Receives nothing until the gate opens."""
        await self.accept()
        await self.app.gate.wait()
        await self.until_closed(self.repeat)

    async def deliver(self) -> None:
        """Handles each message where it is read, but is behind after "slow" until the gate opens; fails at "fail"."""

        def take(content: str | bytes) -> Awaitable[None] | None:
            if content == "fail":
                raise RuntimeError("boom")
            self.app.received += 1
            self.scope["tms.connection"].send(content)
            return self.opened() if content == "slow" else None

        await self.accept()
        await self.scope["tms.connection"].deliver(take)
        self.app.ends.append(0)

    async def opened(self) -> None:
        await self.app.gate.wait()

    async def gulp(self) -> None:
        """Counts the bytes that arrive in one turn of the event loop."""
        gulps = [0]

        def take(content: str | bytes) -> None:
            if not gulps[-1]:
                asyncio.get_running_loop().call_soon(gulps.append, 0)
            gulps[-1] += len(content)
            self.app.received += len(content)
            self.app.most_at_once = max(gulps)

        await self.accept()
        await self.scope["tms.connection"].deliver(take)

    async def push(self) -> None:
        """Sends and waits."""
        await self.accept()
        for number in range(int(self.query["count"])):
            await self.send({"type": "websocket.send", "text": text(number, int(self.query["size"]))})
            self.app.sent += 1
        await self.until_closed()

    async def fan_out(self) -> None:
        """Sends and does not wait."""
        await self.accept()
        for number in range(int(self.query["count"])):
            self.scope["tms.connection"].send(text(number, int(self.query["size"])))
            self.app.sent += 1
            await asyncio.sleep(0)
        await self.until_closed()

    async def flood_and_close(self) -> None:
        """Sends more than is allowed, then closes."""
        await self.accept()
        connection = self.scope["tms.connection"]
        while connection.unwritten <= self.app.server.flow.max_unwritten:
            connection.send(bytes(65_536))
        connection.close(4000)
        await self.until_closed()

    async def deny(self) -> None:
        headers = [(b"Retry-After", b"7"), (b"WWW-Authenticate", b"Bearer"), (b"Content-Length", b"999")]
        status = int(self.query["status"])
        await self.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await self.send({"type": "websocket.http.response.body", "body": b'{"error":', "more_body": True})
        await self.send({"type": "websocket.http.response.body", "body": b'"no"}'})

    async def smuggle(self) -> None:
        headers = [(b"x-tms", b"1\r\nx-other: 2")]
        await self.send({"type": "websocket.http.response.start", "status": 401, "headers": headers})

    async def reject(self) -> None:
        await self.send({"type": "websocket.close"})
        await self.until_closed()

    async def hang(self) -> None:
        await self.app.gate.wait()
        await self.accept()
        await self.until_closed()

    async def close(self) -> None:
        await self.accept()
        try:
            await self.send({"type": "websocket.close", "code": int(self.query["code"]), "reason": "why"})
        except ValueError as error:
            await self.send({"type": "websocket.send", "text": str(error)})
        await self.until_closed()

    async def close_directly(self) -> None:
        await self.accept()
        self.scope["tms.connection"].close(4000, "é" * 100)
        await self.until_closed()

    async def send_early(self) -> None:
        await self.send({"type": "websocket.send", "text": "x"})

    async def send_late(self) -> None:
        await self.accept()
        await self.until_closed()
        await self.send({"type": "websocket.send", "text": "too late"})
        self.scope["tms.connection"].send("too late")
        self.scope["tms.connection"].close()

    async def sabotage(self) -> None:
        """Makes the server itself fail with the next message."""
        await self.accept()
        self.scope["tms.connection"].received = None
        await self.until_closed()

    async def stay(self) -> None:
        """Continues after its socket has closed."""
        await self.accept()
        await asyncio.get_running_loop().create_future()

    async def end(self) -> None:
        await self.accept()

    async def fail(self) -> None:
        await self.accept()
        raise RuntimeError("boom")

    async def fail_early(self) -> None:
        raise RuntimeError("boom")

    async def scope_seen(self) -> None:
        await self.accept()
        seen = {name: self.scope[name] for name in ("type", "path", "root_path", "client", "subprotocols")}
        await self.send({"type": "websocket.send", "text": json.dumps(seen)})
        await self.until_closed()


@cache
def channels_consumer() -> Any:
    from django.conf import settings

    if not settings.configured:
        settings.configure(CHANNEL_LAYERS={})
    from channels.generic.websocket import AsyncWebsocketConsumer

    class Exclaim(AsyncWebsocketConsumer):  # type: ignore[misc]
        async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
            await self.send(f"{text_data}!")

    return Exclaim.as_asgi()
