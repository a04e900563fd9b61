"""A client of boards without a browser: keeps the totals and rows on the board, and the board's own verification."""

import asyncio
import contextlib
import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.faults.scenario.observer import Query

FRAME_TIMEOUT_S = 10.0
RECONNECT_MIN_S, RECONNECT_MAX_S = 0.5, 3.0
"""Time-out for a frame, and the wait before a reconnect, as in a browser (static/js/live/socket.js)."""

TOTAL = re.compile(r'id="number-(\w+)">([\d,]+)</b>')
ROW = re.compile(r'id="terminal-(\d+)"[^>]*?data-presence="(\w+)"', re.DOTALL)

PRESENCES = """
SELECT presence, count(*) FROM fleet_terminalstate JOIN fleet_terminal ON fleet_terminal.id = terminal_id
WHERE lifecycle = 'in_service' GROUP BY presence
"""
"""Planned terminals are no part of totals."""
SEVERITIES = """
SELECT severity, count(DISTINCT coalesce(incident_id, -id)) FROM alerts_alert
WHERE state <> 'resolved' GROUP BY severity
"""
"""The alerts of an incident count as one."""
ROWS = "SELECT terminal_id, presence FROM fleet_terminalstate"


class DatabaseState:
    """The database at one moment, as far as boards show it."""

    def __init__(self, query: Query) -> None:
        self.totals = {str(name): int(n) for name, n in (*query(PRESENCES), *query(SEVERITIES))}
        self.rows = {int(pk): str(presence) for pk, presence in query(ROWS)}


class Board:
    """One page, open while it is entered; it reconnects like a browser."""

    def __init__(self, url: str, page: str, cookie: str) -> None:
        parts = urlsplit(url)
        self.page = page
        self._address = f"ws://{parts.netloc}/ws/board/?page={quote(page, safe='')}"
        self._headers = {"Cookie": cookie, "Origin": f"{parts.scheme}://{parts.netloc}"}
        self.totals: dict[str, int] = {}
        self.rows: dict[int, str] = {}
        self.proof: dict[str, Any] = {}
        self.most_behind_s = 0.0
        self.out_of_order = 0
        self.losses = 0
        self.received_at = 0.0
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def shows(self, expected: DatabaseState) -> bool:
        """Whether the terminals and alerts on the board equal the database."""
        totals = all(expected.totals.get(name, 0) == number for name, number in self.totals.items())
        return (
            bool(self.proof) and totals and all(expected.rows.get(pk) == presence for pk, presence in self.rows.items())
        )

    def is_verified_after(self, verified_at: str) -> bool:
        """Whether the board verified itself against the database at another time than `verified_at`, and is not behind.

        The times are not compared, because the clocks of some nodes are stepped here.
        """
        proof = self.proof
        return bool(proof) and self.verified_at not in ("", verified_at) and proof["behind_s"] < RECONNECT_MIN_S

    @property
    def verified_at(self) -> str:
        """When the board was found to equal the database, by its node's clock; empty when it was not."""
        database = self.proof.get("database") or {"state": "unchecked"}
        return database["at"] if database["state"] == "equal" else ""

    def reset_counts(self) -> None:
        """Reset the counts."""
        self.most_behind_s, self.out_of_order, self.losses = 0.0, 0, 0

    @property
    def silent_s(self) -> float:
        return time.monotonic() - self.received_at

    async def _run(self) -> None:
        while True:
            try:
                async with connect(self._address, additional_headers=self._headers, max_size=None) as socket:
                    await self._watch(socket)
            except (WebSocketException, OSError, TimeoutError):
                self.losses += 1
            self._failures += 1
            await asyncio.sleep(
                RECONNECT_MIN_S
                + random.random() * (min(RECONNECT_MAX_S, RECONNECT_MIN_S * 2**self._failures) - RECONNECT_MIN_S)
            )

    async def _watch(self, socket: ClientConnection) -> None:
        number = 0
        while True:
            async with asyncio.timeout(FRAME_TIMEOUT_S):
                frame = json.loads(await socket.recv())
            number += 1
            if frame["number"] != number:
                self.out_of_order += 1
                number = frame["number"]
                await socket.send(json.dumps({"ask": "repaint"}))
            self._failures = 0
            self._apply(frame)

    def _apply(self, frame: dict[str, Any]) -> None:
        previous = {"database": self.proof.get("database"), "behind_s": 0.0}
        self.received_at, self.proof = time.monotonic(), previous | frame["proof"]
        self.most_behind_s = max(self.most_behind_s, self.proof["behind_s"])
        if frame["kind"] == "repaint":
            self.totals, self.rows = {}, {}
        html, order = frame.get("html", ""), frame.get("list") or {"of": ""}
        self.totals |= {name: int(number.replace(",", "")) for name, number in TOTAL.findall(html)}
        self.rows |= {int(pk): presence for pk, presence in ROW.findall(html)}
        if order["of"] == "terminals":
            gone = {_pk(element) for element in order.get("gone", ())}
            shown = {_pk(element) for element in order["ids"]} if "ids" in order else self.rows.keys() - gone
            self.rows = {pk: presence for pk, presence in self.rows.items() if pk in shown}


def _pk(element: str) -> int:
    return int(element.removeprefix("terminal-"))


class Convergence:
    """How long boards take to agree with the database."""

    def __init__(self, boards: Sequence[Board], query: Query) -> None:
        self.boards = boards
        self.query = query

    async def reached(self, *, within_s: float) -> float | None:
        """Seconds until every board shows what the database holds and has proven it; None when that takes longer."""
        return await self._seconds_until(self._is_reached, within_s=within_s)

    async def verified(self, *, within_s: float) -> float | None:
        """The same by the word of the boards alone: while terminals reconnect, the database changes all the time."""
        return await self._seconds_until(self._is_verified, within_s=within_s)

    async def _seconds_until(
        self, holds: Callable[[Sequence[str]], Awaitable[bool]], *, within_s: float
    ) -> float | None:
        began, before = time.monotonic(), [board.verified_at for board in self.boards]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not await holds(before):
                    await asyncio.sleep(0.1)
                return time.monotonic() - began
        return None

    async def _is_verified(self, before: Sequence[str]) -> bool:
        return all(board.is_verified_after(at) for board, at in zip(self.boards, before, strict=True))

    async def _is_reached(self, before: Sequence[str]) -> bool:
        if not await self._is_verified(before):
            return False
        expected = await asyncio.to_thread(DatabaseState, self.query)
        return all(board.shows(expected) for board in self.boards)
