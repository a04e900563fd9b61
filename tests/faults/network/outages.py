"""Outages whose cause and times are known, as availability attributes them."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.faults.fault import Fault, Finding
from tests.faults.network.storm import SITE_OF_TERMINAL
from tests.faults.scenario.attribution import KnownOutage, compare_availability, linked_since
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.light import LightTerminal
from tests.faults.scenario.scenario import Scenario
from tms.protocol.frames import GoodbyeReason

OUTAGE_S = 12.0
RUNNING_FOR_S = 86_400.0
"""Uptime of a device of which only the software restarts."""


class Plan(NamedTuple):
    """How terminals of one site are lost, and the reason that availability must state."""

    reason: str
    terminals: int
    is_off: bool
    goodbye: GoodbyeReason | None = None
    uptime_s: float = 0.0


PLANS: Mapping[str, Sequence[Plan]] = {
    "F0": [Plan("network", 5, is_off=False)],
    "F1": [Plan("power", 5, is_off=True, uptime_s=3)],
    "F2": [Plan("device", 1, is_off=True, uptime_s=3)],
    "F3": [
        Plan("application", 3, is_off=True, uptime_s=RUNNING_FOR_S),
        Plan("restart", 3, is_off=True, goodbye="update", uptime_s=RUNNING_FOR_S),
        Plan("switched_off", 3, is_off=True, goodbye="closing", uptime_s=3),
    ],
}
"""Outages by the code of the site."""


class LostTerminal:
    """One terminal and how it is lost."""

    def __init__(self, terminal: LightTerminal, plan: Plan) -> None:
        self.terminal, self.plan = terminal, plan
        self._since = 0.0

    async def begin(self) -> None:
        self._since = time.time()
        if self.plan.is_off:
            await self.terminal.switch_off(self.plan.goodbye)
        else:
            await self.terminal.go_offline()

    def end(self) -> None:
        if self.plan.is_off:
            self.terminal.switch_on(uptime_s=self.plan.uptime_s)
        else:
            self.terminal.come_online()

    @property
    def outage(self) -> KnownOutage:
        """The outage, once the terminal is back."""
        return KnownOutage(self.terminal.uid, self.plan.reason, self._since, linked_since(self.terminal))


async def lose_terminals_in_known_ways(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    lost = await _planned(scenario)
    terminals = [each.terminal for each in lost]
    async with scenario.during_fault(finding) as window:
        scenario.expect_alerts_for(terminals)
        scenario.observer.pause()
        await scenario.observer.wait_until_acknowledged()
        began_at = time.monotonic()
        for each in lost:
            await each.begin()
        scenario.observer.resume()
        await asyncio.sleep(OUTAGE_S)
        for each in lost:
            each.end()
        window.end()
        back_s = await scenario.seconds_until_back(terminals, within_s=60, since=began_at)
    finding.expect("all reconnected", back_s, at_most=60, unit="s")
    await compare_availability(scenario, finding, [each.outage for each in lost])


async def _planned(scenario: Scenario[FaultCluster]) -> list[LostTerminal]:
    site_of = dict(await scenario.aquery(SITE_OF_TERMINAL))
    light = [each for each in scenario.observer.terminals if isinstance(each, LightTerminal)]
    found = []
    for site, plans in PLANS.items():
        members = iter([each for each in light if site_of[each.uid] == site])
        found += [LostTerminal(next(members), plan) for plan in plans for _ in range(plan.terminals)]
    return found


FAULTS = (
    Fault(
        "known-outages",
        "every lost second has a reason",
        "terminals lose the network, their power or their software, and availability names each",
        lose_terminals_in_known_ways,
    ),
)
