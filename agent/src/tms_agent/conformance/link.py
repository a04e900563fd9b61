"""One link of the client under test, from the side of TMS."""

import asyncio
import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tms_agent.conformance.check import Failed
from tms_agent.conformance.watch import Report, Watch

if TYPE_CHECKING:
    from tms_agent.conformance.terminal import Terminal

FRAME_BYTES = 65_536
LIMITS = {"frame_bytes": FRAME_BYTES, "frames_per_minute": 100, "frames_burst": 50, "reports_per_batch": 200}


class Bucket:
    """The frames that TMS allows."""

    def __init__(self, per_minute: int, burst: int) -> None:
        self._rate, self._burst = per_minute / 60, burst + 1.0
        self._tokens, self._at = self._burst, time.monotonic()

    def excess(self) -> float:
        """Counts a frame; returns by how many seconds it was too early."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._tokens / self._rate)


class Link:
    def __init__(self, terminal: "Terminal", connection: ServerConnection, watch: Watch) -> None:
        self.connection = connection
        self.boot_id = ""
        self.last_seq = 0
        self.boot_request: Any = None
        self.boot: dict[str, Any] = {}
        self.has_booted = False
        self.acks = True
        """Whether reports are acknowledged when they come."""
        self.sent: list[Report] = []
        self.in_flight: list[Report] = []
        self.answers: list[dict[str, Any]] = []
        self.count = 0
        """Frames so far."""
        self.bytes = 0
        self.frame_bytes = FRAME_BYTES
        self.heartbeat_s = 0.0
        self.reports_per_batch = LIMITS["reports_per_batch"]
        self.accepts_undated = False
        self.features: list[str] = []
        self.progress_at: dict[Any, float] = {}
        """When the last progress of a command came."""
        self.bucket = Bucket(LIMITS["frames_per_minute"], LIMITS["frames_burst"])
        self.ended_at = 0.0
        """When this side ended it, by the clock of the event loop."""
        self._terminal = terminal
        self._watch = watch
        self._calls: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self) -> None:
        """Receive frames until the link ends."""
        try:
            while True:
                await self._take(await self.connection.recv())
        except UnicodeDecodeError:
            self._watch.is_not_utf8()
        except ConnectionClosed:
            pass

    # What the client sends

    async def call(self, method: str | None, what: str) -> dict[str, Any]:
        """The next message with this method, or the next answer; skips others."""
        while True:
            call = await self._terminal.within(self._next(), what)
            if call.get("method") == method:
                return call

    async def frames(self, number: int) -> None:
        """Wait until so many came."""
        while self.count < number:
            await self._next()

    async def report(self) -> Report:
        call = await self.call("report", "no report")
        return next(one for one in self.sent if one.body is call["params"])

    async def reports(self, number: int) -> list[Report]:
        return [await self.report() for _ in range(number)]

    async def answer(self) -> dict[str, Any]:
        return await self.call(None, "no answer")

    async def request(self, request_id: Any, method: str, params: dict[str, Any]) -> dict[str, Any]:
        await self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return await self.answer()

    async def command(self, request_id: Any, name: str, /, **changes: Any) -> dict[str, Any]:
        return await self.request(request_id, "command", self.command_params(name, **changes))

    def command_params(self, name: str, /, *, within_s: float = 60, **changes: Any) -> dict[str, Any]:
        return {"name": name, "args": {}, "deadline": written(self.server_time(after_s=within_s)), **changes}

    async def quiet(self, seconds: float, what: str) -> None:
        """Fails if the client sends anything."""
        count = self.count
        await asyncio.sleep(seconds)
        if self.count > count:
            raise Failed(f"{self.count - count} frames came {what}")

    async def closed(self, what: str) -> int:
        """The code with which the client closed."""
        await self._terminal.within(self.connection.wait_closed(), what)
        return self.connection.close_code or 1006

    async def settled(self) -> None:
        """The client has read what was sent until now."""
        await self._terminal.within(self._pong(), "no pong to a ping")

    # What TMS sends

    async def receive_boot(self) -> dict[str, Any]:
        await self.call("boot", "no boot")
        return self.boot

    async def answer_boot(self, *, limits: dict[str, Any] | None = None, **changes: Any) -> None:
        limits = LIMITS | (limits or {})
        given = {
            "session": self._terminal.links,
            "heartbeat_s": 1.0,
            "server_time": written(self.server_time()),
            "acked_seq": self._terminal.acked.get(self.boot_id, 0),
            "config_version": 0,
            "limits": limits,
            "accepts_undated": True,
            "features": [],
            **changes,
        }
        self.frame_bytes, self.reports_per_batch = limits["frame_bytes"], limits["reports_per_batch"]
        self.bucket = Bucket(limits["frames_per_minute"], limits["frames_burst"])
        self.features = given["features"]
        self.accepts_undated, self.heartbeat_s = given["accepts_undated"], given["heartbeat_s"]
        await self.send(self.boot_answer(given))

    def boot_answer(self, result: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": self.boot_request, "result": result}

    async def ack(self, seq: int, boot_id: str | None = None) -> None:
        boot = boot_id or self.boot_id
        self._terminal.acked[boot] = max(seq, self._terminal.acked.get(boot, 0))
        self.in_flight = [one for one in self.in_flight if one.boot_id != boot or one.seq > seq]
        await self.notify("ack", {"seq": seq} if boot == self.boot_id else {"seq": seq, "boot_id": boot})

    async def notify(self, method: str, params: Any) -> None:
        await self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        try:
            await self.connection.send(json.dumps(message) if isinstance(message, dict) else message)
        except ConnectionClosed:
            raise Failed(f"the client closed the link ({self.connection.close_code})") from None

    async def close(self, code: int = 1000) -> None:
        self.ended_at = asyncio.get_running_loop().time()
        await self.connection.close(code)

    def cut(self) -> None:
        """Reset the connection."""
        self.ended_at = asyncio.get_running_loop().time()
        self.connection.transport.abort()

    def server_time(self, *, after_s: float = 0) -> datetime:
        return datetime.now(timezone.utc) + self._terminal.clock_ahead + timedelta(seconds=after_s)

    async def _pong(self) -> None:
        try:
            await (await self.connection.ping())
        except ConnectionClosed:
            raise Failed(f"the client closed the link ({self.connection.close_code})") from None

    async def _next(self) -> dict[str, Any]:
        waiting = asyncio.ensure_future(self._calls.get())
        closed = asyncio.ensure_future(self.connection.wait_closed())
        try:
            await asyncio.wait([waiting, closed], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            raise Failed(f"the link ended ({self.connection.close_code})")
        finally:
            waiting.cancel()
            closed.cancel()

    async def _take(self, message: str | bytes) -> None:
        self.count += 1
        self.bytes += len(message)
        before = len(self.sent)
        for call in self._watch.message(self, message):
            if call.get("method") == "boot" and not self.boot_id:
                self._boot(call)
            if "method" not in call:
                self.answers.append(call)
            self._calls.put_nowait(call)
        if self.acks:
            await self._ack(self.sent[before:])

    def _boot(self, call: dict[str, Any]) -> None:
        self.boot, self.boot_request = call["params"], call["id"]
        last_seq = self.boot.get("last_seq", 0)
        self.boot_id, self.last_seq = self.boot["boot_id"], last_seq if type(last_seq) is int else 0
        self._watch.boot(self, self.boot)

    async def _ack(self, reports: list[Report]) -> None:
        for boot_id in {one.boot_id for one in reports}:
            await self.ack(max(one.seq for one in reports if one.boot_id == boot_id), boot_id)


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
