"""A simulated fleet with problems: real agents over the real link, in one event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tms.demo.breaking.breaker import Breaker
from tms.demo.breaking.server import serve
from tms.demo.seed_file import DemoTerminal, StartCondition
from tms.demo.simulated import Simulated
from tms_agent.updating.manifest import PublicKeys

DIALS_PER_SECOND = 200
"""Terminals start one after the other, as in reality, and to spare a laptop."""
LINE_EVERY_S, LINE_FOR_S = (240, 480), (180, 300)


class Simulator:
    def __init__(
        self,
        terminals: Sequence[DemoTerminal],
        url: str,
        *,
        start_conditions: Mapping[str, StartCondition],
        control: Path | None = None,
        state: Path | None = None,
        keys: PublicKeys | None = None,
    ) -> None:
        """`state`: the folder in which devices keep what TMS changes. `keys`: of whom they accept updates."""
        self._fleet = [
            Simulated(
                terminal,
                url,
                start_conditions.get(terminal.uid, StartCondition()),
                folder=state / terminal.uid if state else None,
                keys=keys,
            )
            for terminal in terminals
        ]
        self._breaker = Breaker(self._fleet, url)
        self._control = control
        self._problems: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Run until `stop`: then every terminal says goodbye."""
        lives = [
            asyncio.create_task(simulated.live(number / DIALS_PER_SECOND))
            for number, simulated in enumerate(self._fleet)
        ]
        self._problems = [asyncio.create_task(simulated.run_problems()) for simulated in self._fleet]
        self._problems += [asyncio.create_task(simulated.run_out_of_memory()) for simulated in self._fleet]
        self._problems.append(asyncio.create_task(self._cut_lines()))
        if self._control:
            self._problems.append(asyncio.create_task(serve(self._control, self._breaker)))
        await asyncio.gather(*lives)

    def stop(self) -> None:
        self._breaker.stop()
        for problem in self._problems:
            problem.cancel()
        for simulated in self._fleet:
            simulated.leave()

    async def _cut_lines(self) -> None:
        """Now and then a whole site loses its connection."""
        rng = Random()
        sites = sorted({simulated.site for simulated in self._fleet})
        while sites:
            await asyncio.sleep(rng.uniform(*LINE_EVERY_S))
            site, seconds = rng.choice(sites), rng.uniform(*LINE_FOR_S)
            for simulated in self._fleet:
                if simulated.site == site:
                    simulated.agent.offline_for(seconds + rng.uniform(0, 5))
