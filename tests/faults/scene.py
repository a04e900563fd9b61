"""A whole TMS with reporting terminals and open boards, and the effect of a fault on it."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from deploy.processes.service import Service
from tests.faults.agents import AgentTerminal
from tests.faults.boards import Agreement, Board
from tests.faults.fault import Finding
from tests.faults.light import LightTerminal
from tests.faults.observer import ObservedTerminal, TerminalObserver, until
from tests.faults.place import Place
from tms.protocol import credential

AGENTS, LIGHT, SPARE = 20, 100, 3
"""Terminals: real agents, light ones, and those for misbehaving clients."""
SITES = 4
PAGES = ("/", "/", "/terminals/", "/terminals/")
AGREED_WITHIN_S = 40.0
"""Time-out of the comparison."""

ALERTED = """
SELECT t.uid FROM alerts_alert a JOIN alerts_rule r ON r.id = a.rule_id JOIN fleet_terminal t ON t.id = a.terminal_id
WHERE r.kind = 'presence' AND a.id > %s
"""
NEWEST_ALERT = "SELECT coalesce(max(id), 0) FROM alerts_alert"
NEWEST_CHANGE = "SELECT coalesce(max(id), 0) FROM fleet_presencechange"
CHANGES = "SELECT presence, count(DISTINCT terminal_id) FROM fleet_presencechange WHERE id > %s GROUP BY presence"
HELD = "SELECT t.uid FROM fleet_terminalstate s JOIN fleet_terminal t ON t.id = s.terminal_id WHERE s.node = %s"
PRESENT = "SELECT count(*) FROM fleet_terminalstate WHERE presence = 'online'"


class Scene[Where: Place]:
    """Entered once for several faults; left after one that broke it."""

    def __init__(
        self,
        place: Where,
        *,
        agents: int = AGENTS,
        light: int = LIGHT,
        report_every_s: float = 1.0,
        sites: int = SITES,
        headers: Mapping[str, str] = {},
    ) -> None:
        """`headers` go with the handshakes of light terminals."""
        self.place = place
        self.observer: TerminalObserver
        self.boards: list[Board] = []
        self._agents, self._light, self._sites = agents, light, sites
        self._report_every_s = report_every_s
        self._headers = headers
        self._leaving = AsyncExitStack()
        self._unreachable: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            await asyncio.to_thread(undo.enter_context, self.place)
            await self._fill(undo)
            self._leaving = undo.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leaving.aclose()

    async def _fill(self, undo: AsyncExitStack) -> None:
        number = self._agents + self._light + SPARE
        output = await self.manage(
            "shell", "-c", f"from tests.faults import enrol; enrol.fleet({number}, {self._sites})"
        )
        enrolled = json.loads(output.splitlines()[-1])
        self.cookie = enrolled["cookie"]
        keys = [key for text in enrolled["credentials"] if (key := credential.parse(text))]
        self.spare = [keys.pop() for _ in range(SPARE)]
        link = self.place.link
        terminals: list[ObservedTerminal] = [AgentTerminal(link, key) for key in keys[: self._agents]]
        terminals += [LightTerminal(link, key, self._headers) for key in keys[self._agents :]]
        self.observer = await undo.enter_async_context(TerminalObserver(terminals, report_every_s=self._report_every_s))
        boards = [Board(self.place.url, page, self.cookie) for page in PAGES]
        self.boards = [await undo.enter_async_context(board) for board in boards]
        await self.well()

    # Its state

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.place.query(sql, *parameters)

    async def ask(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self.query, sql, *parameters)

    async def manage(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.place.manage, *arguments)

    async def well(self) -> None:
        """Wait until every terminal is online, every board has content, and no report is unacknowledged."""
        await self.observer.all_linked()
        await self.present()
        await self.observer.settled()
        await until(lambda: all(board.proof and (board.totals or board.rows) for board in self.boards))

    async def present(self) -> None:
        """Wait until the database calls every terminal online."""
        while (await self.ask(PRESENT))[0][0] < len(self.observer.terminals):
            await asyncio.sleep(0.1)

    async def linked_to(self, node: Service) -> list[ObservedTerminal]:
        uids = {uid for (uid,) in await self.ask(HELD, node.name)}
        return [terminal for terminal in self.observer.terminals if terminal.uid in uids]

    # A fault

    @contextlib.asynccontextmanager
    async def disturbed(self, finding: Finding) -> AsyncIterator["Disturbance"]:
        """The fault happens inside the block; at its end, every violation is counted."""
        self._unreachable = frozenset(key.uid for key in self.spare)
        alert, change = (await self.ask(NEWEST_ALERT))[0][0], (await self.ask(NEWEST_CHANGE))[0][0]
        for board in self.boards:
            board.forget()
        disturbance, losses = Disturbance(self), self.observer.losses
        async with disturbance:
            yield disturbance
            finding.converged_s = await disturbance.converged()
        await self.observer.settled()
        tally = await self.observer.count(self.query)
        finding.lost, finding.twice = tally.lost, tally.twice
        finding.false_alerts = sum(uid not in self._unreachable for (uid,) in await self.ask(ALERTED, alert))
        moved = dict(await self.ask(CHANGES, change))
        finding.figures |= {
            "links lost": self.observer.losses - losses,
            "called silent": moved.get("silent", 0),
            "called offline": moved.get("offline", 0),
            "board frames out of order": sum(board.out_of_order for board in self.boards),
        }

    def excuse(self, terminals: Collection[ObservedTerminal]) -> None:
        """Alerts about these are no false ones: they were unreachable."""
        self._unreachable |= {terminal.uid for terminal in terminals}

    async def all_back(self, terminals: Sequence[ObservedTerminal], *, within_s: float, since: float) -> float | None:
        """Seconds from `since` until each of them has a newer link; None if that takes longer."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(each.is_linked and each.linked_at > since for each in terminals), within_s=within_s)
            return max((each.linked_at - since for each in terminals), default=0.0)
        return None


class Disturbance:
    """The time of one fault."""

    def __init__(self, scene: Scene[Any]) -> None:
        self._scene = scene
        self._agreement: asyncio.Task[float | None] | None = None
        self.began_at = time.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._agreement is not None:
            self._agreement.cancel()
            await asyncio.gather(self._agreement, return_exceptions=True)

    def is_over(self) -> None:
        """The fault has ended: from here boards have five seconds."""
        scene = self._scene
        self._agreement = asyncio.create_task(
            Agreement(scene.boards, scene.query).reached(within_s=AGREED_WITHIN_S), name="agreement"
        )

    async def converged(self) -> float | None:
        if self._agreement is None:
            self.is_over()
        assert self._agreement is not None
        return await self._agreement


async def seconds_until(holds: Callable[[], bool], *, within_s: float) -> float | None:
    began = time.monotonic()
    with contextlib.suppress(TimeoutError):
        await until(holds, within_s=within_s)
        return time.monotonic() - began
    return None
