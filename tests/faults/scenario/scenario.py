"""A complete TMS with reporting terminals and open boards, in which faults are injected and their effects measured."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from deploy.processes.service import Service
from tests.faults.fault import Finding
from tests.faults.moments.comparisons import Comparisons
from tests.faults.scenario.agents import AgentTerminal
from tests.faults.scenario.boards import Board, Convergence
from tests.faults.scenario.environment import Environment
from tests.faults.scenario.light import LightTerminal
from tests.faults.scenario.observer import ObservedTerminal, TerminalObserver, until
from tests.support.polling import DEADLINE_S
from tms.protocol import credential

AGENTS, LIGHT, SPARE = 20, 100, 8
"""Terminals: real agents, light ones, and those for misbehaving clients."""
SITES = 4
PAGES = ("/", "/", "/terminals/", "/terminals/")
MOMENTS_SETTLE_S = 12.0
"""The time until recorded moments were compared (`tests.faults.moments.recorder.SETTLED`)."""
MOMENTS_PRINTED = 5
LOG_LINES, LINE_LENGTH = 3, 500
"""How much of each log is in the error of a scenario that is not ready."""
COMPARE_TIMEOUT_S = 40.0
"""Time-out for boards to equal the database."""

ALERTED = """
SELECT t.uid FROM alerts_alert a JOIN alerts_rule r ON r.id = a.rule_id JOIN fleet_terminal t ON t.id = a.terminal_id
WHERE r.kind = 'presence' AND a.id > %s
"""
NEWEST_ALERT = "SELECT coalesce(max(id), 0) FROM alerts_alert"
NEWEST_CHANGE = "SELECT coalesce(max(id), 0) FROM fleet_presencechange"
CHANGES = "SELECT presence, count(DISTINCT terminal_id) FROM fleet_presencechange WHERE id > %s GROUP BY presence"
LINKED = "SELECT t.uid FROM fleet_terminalstate s JOIN fleet_terminal t ON t.id = s.terminal_id WHERE s.node = %s"
PRESENT = "SELECT count(*) FROM fleet_terminalstate WHERE presence = 'online'"


class Scenario[E: Environment]:
    """Entered once for several faults; closed after a fault that violated a guarantee."""

    def __init__(
        self,
        environment: E,
        *,
        agents: int = AGENTS,
        light: int = LIGHT,
        report_every_s: float = 1.0,
        sites: int = SITES,
        headers: Mapping[str, str] = {},
        light_type: Callable[..., ObservedTerminal] = LightTerminal,
    ) -> None:
        """`headers` are sent in the handshakes of light terminals."""
        self.environment = environment
        self.observer: TerminalObserver
        self.boards: list[Board] = []
        self.comparisons: Comparisons
        self._agents, self._light, self._sites = agents, light, sites
        self._report_every_s = report_every_s
        self._headers, self._light_type = headers, light_type
        self._leaving = AsyncExitStack()
        self._unreachable: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            await asyncio.to_thread(undo.enter_context, self.environment)
            await self._fill(undo)
            self._leaving = undo.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leaving.aclose()

    async def _fill(self, undo: AsyncExitStack) -> None:
        number = self._agents + self._light + SPARE
        output = await self.manage(
            "shell", "-c", f"from tests.faults.scenario import enrol; enrol.fleet({number}, {self._sites})"
        )
        enrolled = json.loads(output.splitlines()[-1])
        self.cookie = enrolled["cookie"]
        keys = [key for text in enrolled["credentials"] if (key := credential.parse(text))]
        self.spare = [keys.pop() for _ in range(SPARE)]
        link = self.environment.link
        terminals: list[ObservedTerminal] = [AgentTerminal(link, key) for key in keys[: self._agents]]
        terminals += [self._light_type(link, key, self._headers) for key in keys[self._agents :]]
        self.observer = await undo.enter_async_context(TerminalObserver(terminals, report_every_s=self._report_every_s))
        self.comparisons = undo.enter_context(Comparisons.running(self.environment))
        boards = [Board(self.environment.url, page, self.cookie) for page in PAGES]
        self.boards = [await undo.enter_async_context(board) for board in boards]
        await self._wait_until_started()

    # Its state

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.environment.query(sql, *parameters)

    async def aquery(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self.query, sql, *parameters)

    async def manage(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.environment.manage, *arguments)

    async def wait_until_ready(self) -> None:
        """Wait until every terminal is online, every board has content, and no report is unacknowledged.

        Raises NotReady.
        """
        try:
            await self.observer.wait_until_linked()
            await self.wait_until_online()
            await self.observer.wait_until_acknowledged()
            await until(lambda: all(map(has_content, self.boards)), missing=self._described_boards)
        except TimeoutError as error:
            raise NotReady(f"{last_lines(self.environment.logs)}\nnot ready: {error}") from None

    async def wait_until_online(self) -> None:
        """Wait until every terminal is online in the database. Raises TimeoutError with how many are."""
        number, wanted = 0, len(self.observer.terminals)
        deadline = time.monotonic() + DEADLINE_S
        while (number := (await self.aquery(PRESENT))[0][0]) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{number} of {wanted} terminals are online")
            await asyncio.sleep(0.1)

    async def _wait_until_started(self) -> None:
        """Raises NotReady, at once if a process has exited."""
        ready = asyncio.create_task(self.wait_until_ready())
        try:
            while not ready.done():
                await asyncio.wait([ready], timeout=0.2)
                if exited := self.environment.exited:
                    raise NotReady(f"{last_lines(self.environment.logs)}\nnot ready: {', '.join(exited)} exited")
            await ready
        finally:
            ready.cancel()

    def _described_boards(self) -> str:
        empty = sorted({board.page for board in self.boards if not has_content(board)})
        statuses = [f"{page} without content (HTTP {self.environment.get(page, self.cookie)})" for page in empty]
        return f"board {', '.join(statuses)}"

    async def linked_to(self, node: Service) -> list[ObservedTerminal]:
        uids = {uid for (uid,) in await self.aquery(LINKED, node.name)}
        return [terminal for terminal in self.observer.terminals if terminal.uid in uids]

    # A fault

    @contextlib.asynccontextmanager
    async def during_fault(self, finding: Finding) -> AsyncIterator["FaultWindow"]:
        """Inject the fault inside the block; at its end, violations are counted."""
        self._unreachable = frozenset(key.uid for key in self.spare)
        alert, change = (await self.aquery(NEWEST_ALERT))[0][0], (await self.aquery(NEWEST_CHANGE))[0][0]
        for board in self.boards:
            board.reset_counts()
        window, losses = FaultWindow(self), self.observer.losses
        async with window:
            yield window
            finding.converged_s = await window.converged()
        await self.observer.wait_until_acknowledged()
        tally = await self.observer.count(self.query)
        finding.lost, finding.duplicated = tally.lost, tally.duplicated
        finding.false_alerts = sum(uid not in self._unreachable for (uid,) in await self.aquery(ALERTED, alert))
        moved = dict(await self.aquery(CHANGES, change))
        finding.figures |= {
            "links lost": self.observer.losses - losses,
            "became silent": moved.get("silent", 0),
            "became offline": moved.get("offline", 0),
            "board frames out of order": sum(board.out_of_order for board in self.boards),
        }

    async def count_replays(self, finding: Finding, *, is_last: bool) -> None:
        """Recorded moments equal their replay. They are compared some seconds later: those of the last seconds count
        for the next fault.
        """
        if is_last:
            await asyncio.sleep(MOMENTS_SETTLE_S)
        compared = self.comparisons.new()
        differing = [each for each in compared if each.differences]
        for each in differing[:MOMENTS_PRINTED]:
            print(f"{each.at}: {'; '.join(each.differences)}")
        finding.figures["recorded moments replayed"] = len(compared)
        finding.expect("recorded moments that differ from their replay", len(differing), at_most=0)

    def expect_alerts_for(self, terminals: Collection[ObservedTerminal]) -> None:
        """Do not count alerts of these as false, because they were unreachable."""
        self._unreachable |= {terminal.uid for terminal in terminals}

    async def seconds_until_back(
        self, terminals: Sequence[ObservedTerminal], *, within_s: float, since: float
    ) -> float | None:
        """Seconds from `since` until each of them has a newer link; None if that takes longer."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(each.is_linked and each.linked_at > since for each in terminals), within_s=within_s)
            return max((each.linked_at - since for each in terminals), default=0.0)
        return None


class NotReady(RuntimeError):
    """The last line says what is missing; the lines before it are the ends of the logs."""


def has_content(board: Board) -> bool:
    return bool(board.proof and (board.totals or board.rows))


def last_lines(logs: Sequence[Path]) -> str:
    """The errors of each log, or the end of one without errors."""
    parts = []
    for log in logs:
        lines = log.read_text(errors="replace").splitlines()
        errors = [line for line in lines if '"level": "error"' in line]
        parts += [f"{log.parent.name}: {shortened(line)}" for line in (errors or lines)[-LOG_LINES:]]
    return "\n".join(parts)


def shortened(line: str) -> str:
    """The event of a line of JSON, with the last line of its traceback; any other line as it is."""
    try:
        entry = json.loads(line)
        return f"{entry['event']}; {entry.get('exception', '').strip().rpartition('\n')[2].strip()}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return line[:LINE_LENGTH]


class FaultWindow:
    """The time during which one fault is in effect."""

    def __init__(self, scenario: Scenario[Any]) -> None:
        self._scenario = scenario
        self._convergence: asyncio.Task[float | None] | None = None
        self.began_at = time.monotonic()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._convergence is not None:
            self._convergence.cancel()
            await asyncio.gather(self._convergence, return_exceptions=True)

    def end(self) -> None:
        """The fault has ended; the time for convergence starts."""
        scenario = self._scenario
        self._convergence = asyncio.create_task(
            Convergence(scenario.boards, scenario.query).reached(within_s=COMPARE_TIMEOUT_S), name="convergence"
        )

    async def converged(self) -> float | None:
        if self._convergence is None:
            self.end()
        assert self._convergence is not None
        return await self._convergence


async def seconds_until_acknowledged(terminals: Sequence[ObservedTerminal]) -> float | None:
    """Seconds until all reports made so far are acknowledged."""
    made = [(terminal, terminal.made) for terminal in terminals]
    return await seconds_until(lambda: all(terminal.acked >= number for terminal, number in made), within_s=60)


async def seconds_until(holds: Callable[[], bool], *, within_s: float) -> float | None:
    began = time.monotonic()
    with contextlib.suppress(TimeoutError):
        await until(holds, within_s=within_s)
        return time.monotonic() - began
    return None
