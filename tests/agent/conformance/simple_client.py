"""A simple client of the terminals' link, and broken ones that differ from it in one point."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.http11 import Response

RARELY_S = 300.0


class SimpleClient:
    """Runs in the event loop of the test; see `tms_agent.conformance.terminal.Client`."""

    features: Sequence[str] = ()
    event_codes: Sequence[str] = ()

    def __init__(self, url: str, credential: str) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.boot_id = uuid4().hex
        self.seq = 0
        self.kept: list[dict[str, Any]] = []
        self.drained: dict[str, float] | None = None
        self.link: ClientConnection | None = None
        self._connect = connect(
            url,
            subprotocols=["tms.v1"],
            additional_headers={"Authorization": f"Bearer {credential}"},
            compression=None,
            ping_interval=None,
        )
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def start(cls, url: str, credential: str, folder: Path) -> "SimpleClient":
        return cls(url, credential)

    def stop(self) -> None:
        self._task.cancel("stop")

    def kill(self) -> None:
        self._task.cancel("kill")
        if self.link:
            self.link.transport.abort()

    def log(self) -> str:
        return ""

    # What broken ones do differently

    def begin(self) -> None:
        """A link begins."""

    def back_off_s(self) -> float:
        return random.random()

    def drain(self, link: ClientConnection, params: dict[str, float]) -> asyncio.Future[None] | None:
        self.drained = params
        return asyncio.ensure_future(link.close())

    def answer_id(self, request_id: Any) -> Any:
        return request_id

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"error": {"code": -32005 if method == "command" else -32601, "message": "no"}}

    def reports_to_resend(self) -> list[dict[str, Any]]:
        return self.kept

    # One link after the other

    async def _run(self) -> None:
        try:
            while True:
                self.drained = None
                wait_s = await self._one_link()
                await asyncio.sleep(wait_s)
        except asyncio.CancelledError as reason:
            if reason.args == ("stop",) and self.link:
                await self._send(self.link, "goodbye", {"reason": "shutdown"})
                await self.link.close()
        finally:
            self.ended.set_result("stopped")

    async def _one_link(self) -> float:
        """Returns how long to wait after it."""
        try:
            self.link = await self._connect
            await self._use(self.link)
        except InvalidStatus as refusal:
            return self._wait_after(refusal.response)
        except (OSError, WebSocketException):
            pass
        if self.drained:
            return self.drained["reconnect_after_s"] + random.random() * self.drained["spread_s"]
        return self.back_off_s()

    def _wait_after(self, response: Response) -> float:
        after, date = (response.headers.get(name) for name in ("Retry-After", "Date"))
        if after:
            is_number = after.isdecimal()
            return float(after) if is_number else (parsedate_to_datetime(after) - parsedate_to_datetime(date)).seconds
        return RARELY_S if b"tms:unauthorised" in response.body else self.back_off_s()

    async def _use(self, link: ClientConnection) -> None:
        boot = {"boot_id": self.boot_id, "last_seq": self.seq, "features": self.features}
        await self._send(link, "boot", boot, id="boot")
        booted: dict[str, Any] = {}
        while booted.get("id") != "boot":
            booted = json.loads(await link.recv())
        self._acknowledge(booted["result"]["acked_seq"])
        self.begin()
        for report in self.reports_to_resend():
            await self._send(link, "report", report)
        reporting = asyncio.create_task(self._report(link, booted["result"]["heartbeat_s"]))
        try:
            async for message in link:
                await self._take(link, json.loads(message))
        finally:
            reporting.cancel()

    async def _report(self, link: ClientConnection, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            self.seq += 1
            at = datetime.now(UTC).isoformat()
            events = [{"at": at, "code": code} for code in self.event_codes]
            self.kept.append({"seq": self.seq, "at": at, "metrics": {"time": time.time()}, "events": events})
            await self._send(link, "report", self.kept[-1])

    async def _take(self, link: ClientConnection, frame: dict[str, Any]) -> None:
        match frame:
            case {"method": "ack", "params": params}:
                self._acknowledge(params["seq"])
            case {"method": "drain", "params": params}:
                self.drain(link, params)
            case {"method": method, "id": request_id}:
                answer = {"jsonrpc": "2.0", "id": self.answer_id(request_id), **self.answer(method, frame["params"])}
                await link.send(json.dumps(answer))

    def _acknowledge(self, seq: int) -> None:
        self.kept = [report for report in self.kept if report["seq"] > seq]

    async def _send(self, link: ClientConnection, method: str, params: dict[str, Any], **members: Any) -> None:
        with suppress(WebSocketException):
            await link.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **members}))


class CountsFromZeroAgain(SimpleClient):
    def begin(self) -> None:
        self.seq = 0


class ReconnectsAtOnce(SimpleClient):
    def back_off_s(self) -> float:
        return 0.0


class IgnoresDrain(SimpleClient):
    def drain(self, link: ClientConnection, params: dict[str, float]) -> None:
        return None


class TakesIdsForNumbers(SimpleClient):
    def answer_id(self, request_id: Any) -> Any:
        return int(request_id) if str(request_id).isdecimal() else 0


class ForgetsReports(SimpleClient):
    def reports_to_resend(self) -> list[dict[str, Any]]:
        return []


class TakesConfigurations(SimpleClient):
    features = ("config", "update")

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "config":
            return {
                "result": {"version": params["version"], "applied": [], "refused": dict.fromkeys(params["values"], "?")}
            }
        return super().answer(method, params)


class TakesEverything(TakesConfigurations):
    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return {"result": {"version": "0", "applied": []}}


class ReportsEvents(SimpleClient):
    event_codes = ("door_open",)


class TakesEventsForHistory(ReportsEvents):
    def reports_to_resend(self) -> list[dict[str, Any]]:
        return [{**report, "late": True} for report in self.kept]
