"""`python -m tests.faults.killed`: kill TMS under load, start it again, and count what became of every report."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.running import Running
from tms.agent.agent import Agent
from tms.agent.options import Options
from tms.agent.source import Identity, Outcome, Sample
from tms.agent.state import State
from tms.protocol import credential, frames

TERMINALS = 40
REPORT_EVERY_S = 0.1
BEFORE_THE_KILL = 2_000
WHILE_AWAY = 400
AFTER = 2_000
DEADLINE_S = 90

COUNT = """
SELECT t.uid, count(*), count(DISTINCT r.seq), min(r.seq), max(r.seq)
FROM telemetry_report r JOIN fleet_terminal t ON t.id = r.terminal_id GROUP BY t.uid ORDER BY t.uid
"""


class Counting:
    """A source that says how often it was asked."""

    identity = Identity(model="COUNT")
    capabilities: Sequence[str] = ()

    def uptime_s(self) -> float:
        return 0.0

    def sample(self) -> Sample:
        return Sample("ok", {"temperature_c": 40.0})

    async def handle(self, command: frames.Command) -> Outcome:
        return Outcome()


class Terminal:
    """A real agent that reports ten times a second, and what it was told."""

    def __init__(self, url: str, key: str) -> None:
        parsed = credential.parse(key)
        assert parsed is not None
        self.uid = parsed.uid
        self.acked = 0
        self.agent = Agent(url, parsed, source=Counting(), options=Options(interval_s=1), on_change=self.changed)

    def changed(self, state: State) -> None:
        self.acked = max(self.acked, state.acked_seq)

    @property
    def waiting(self) -> int:
        return len(self.agent.spool)


@dataclass(frozen=True)
class Outcomes:
    """What the database holds in the end; `acked_at_kill` of it had been acknowledged when TMS was killed."""

    acked_at_kill: int
    made: int
    acknowledged: int
    kept: int
    lost: int
    twice: int

    def __str__(self) -> str:
        return (
            f"acknowledged before kill -9     {self.acked_at_kill:>7}\n"
            f"made by the terminals           {self.made:>7}\n"
            f"acknowledged in the end         {self.acknowledged:>7}\n"
            f"in the database, each once      {self.kept:>7}\n"
            f"acknowledged and lost           {self.lost:>7}\n"
            f"in the database twice           {self.twice:>7}"
        )


async def kill_under_load(tms: Running) -> Outcomes:
    terminals = [Terminal(tms.link, key) for key in tms.enrol_many(TERMINALS)]
    runs = [asyncio.create_task(terminal.agent.run()) for terminal in terminals]
    load = asyncio.create_task(report_on(terminals))

    await until(lambda: acked(terminals) >= BEFORE_THE_KILL)
    await asyncio.to_thread(tms.kill)
    at_kill = {terminal.uid: terminal.acked for terminal in terminals}
    await until(lambda: sum(terminal.waiting for terminal in terminals) >= WHILE_AWAY)
    await asyncio.to_thread(tms.start)
    await until(lambda: acked(terminals) >= sum(at_kill.values()) + AFTER)
    load.cancel()
    await until(lambda: not any(terminal.waiting for terminal in terminals))
    for terminal in terminals:
        terminal.agent.stop()
    await asyncio.gather(*runs)
    return count(tms, terminals, sum(at_kill.values()))


def count(tms: Running, terminals: list[Terminal], acked_at_kill: int) -> Outcomes:
    kept = {uid: (rows, distinct, low, high) for uid, rows, distinct, low, high in tms.query(COUNT)}
    lost = sum(terminal.acked - kept.get(terminal.uid, (0, 0, 0, 0))[1] for terminal in terminals)
    return Outcomes(
        acked_at_kill=acked_at_kill,
        made=sum(high for _, _, _, high in kept.values()),
        acknowledged=acked(terminals),
        kept=sum(distinct for _, distinct, _, _ in kept.values()),
        lost=lost,
        twice=sum(rows - distinct for rows, distinct, _, _ in kept.values()),
    )


async def report_on(terminals: list[Terminal]) -> None:
    while True:
        for terminal in terminals:
            terminal.agent.report_now()
        await asyncio.sleep(REPORT_EVERY_S)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            await asyncio.sleep(0.05)


def acked(terminals: list[Terminal]) -> int:
    return sum(terminal.acked for terminal in terminals)


def running(folder: Path) -> Running:
    return Running(folder, TMS_FRAMES_PER_MINUTE="100000", TMS_FRAMES_BURST="10000")


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as tms:
        print(asyncio.run(kill_under_load(tms)))


if __name__ == "__main__":
    main()
