"""A node and the clock die while a job reboots 5,000 terminals."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.faults.fault import Fault, Finding
from tests.faults.half_done.requests_killed import prepared
from tests.faults.processes.leader import leading_clock
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.light import LightTerminal
from tests.faults.scenario.scenario import Scenario
from tms_agent.protocol import downlink, uplink
from tms_agent.protocol.credential import PlainCredential
from tms_agent.protocol.frames import GoodbyeFrame, RequestId

TERMINALS, SITES = 5_000, 2_505
"""Two lanes a site, but one at a few: their only one must not reboot."""
SETTINGS = {
    # As in production: what is measured is the job, not the detection of lost links.
    "TMS_HEARTBEAT_S": "30",
    "TMS_LEASE_GRACE_S": "30",
    "TMS_OFFLINE_AFTER_S": "60",
    "TMS_RECONNECT_GRACE_S": "90",
    "TMS_PING_INTERVAL_S": "20",
    "TMS_PING_TIMEOUT_S": "20",
    "TMS_CONNECTIONS_PER_ADDRESS": "10000",
}
AWAY_S = 5.0, 20.0
RUN_S = 360
AT_ONCE = 1_000
CLOCK_DIES_AT, NODE_DIES_AT = 0.2, 0.35
"""Shares of the terminals that were rebooted by then."""

SITE_OF = "SELECT t.uid, s.code FROM fleet_terminal t JOIN fleet_site s ON s.id = t.site_id"
ITEMS = """
SELECT t.uid, i.state, i.reason, i.command_id FROM jobs_item i JOIN jobs_jobrun r ON r.id = i.run_id
JOIN fleet_terminal t ON t.id = i.terminal_id WHERE r.job_id = %s
"""
JOB = "SELECT state FROM jobs_job WHERE id = %s"
UNFINISHED = "SELECT count(*) FROM commands_command WHERE state IN ('queued', 'sent')"


class Away(NamedTuple):
    """The time of one reboot, from the command to the answer to the next boot. Monotonic."""

    began: float
    ended: float


class RebootingTerminal(LightTerminal):
    """Obeys `reboot` like an agent: answers, says goodbye, and is away for some seconds."""

    def __init__(self, url: str, credential: PlainCredential, headers: Mapping[str, str] = {}) -> None:
        super().__init__(url, credential, headers)
        self.executed: list[RequestId] = []
        """The id of each command that it got."""
        self.away: list[Away] = []
        self._reboots: set[asyncio.Task[None]] = set()

    def _handle(self, frame: downlink.Downlink) -> None:
        if not isinstance(frame, downlink.CommandCall):
            super()._handle(frame)
            return
        self.executed.append(frame.id)
        self._send_text(uplink.answer(uplink.CommandAnswer(frame.id, {})))
        reboot = asyncio.create_task(self._reboot(random.uniform(*AWAY_S)))
        self._reboots.add(reboot)
        reboot.add_done_callback(self._reboots.discard)

    async def _reboot(self, for_s: float) -> None:
        began = time.monotonic()
        back_at = datetime.now(UTC) + timedelta(seconds=for_s)
        self._send_text(uplink.goodbye(GoodbyeFrame("reboot", back_at)))
        while self._pending:  # unlike an agent it has no spool that survives
            await asyncio.sleep(0.05)
        await self.switch_off()
        await asyncio.sleep(for_s)
        self.switch_on(uptime_s=1.0)
        while not self.is_linked:
            await asyncio.sleep(0.05)
        self.away.append(Away(began, time.monotonic()))


class Fleet:
    """The terminals of the job, and what they saw of it."""

    def __init__(self, terminals: Iterable[object], site_of: Mapping[str, str]) -> None:
        self.terminals = [each for each in terminals if isinstance(each, RebootingTerminal)]
        self._site_of = site_of

    @property
    def executed(self) -> int:
        return sum(bool(terminal.executed) for terminal in self.terminals)

    @property
    def twice(self) -> int:
        """Terminals that got the command more than once."""
        return sum(len(terminal.executed) > 1 for terminal in self.terminals)

    def dark_sites(self) -> int:
        """Sites of which all lanes were rebooting at one moment."""
        lanes = Counter(self._site_of[terminal.uid] for terminal in self.terminals)
        moments: dict[str, list[tuple[float, int]]] = {}
        for terminal in self.terminals:
            of_site = moments.setdefault(self._site_of[terminal.uid], [])
            of_site += [at for away in terminal.away for at in ((away.began, 1), (away.ended, -1))]
        return sum(_most_at_once(each) >= lanes[site] for site, each in moments.items())


def _most_at_once(moments: Collection[tuple[float, int]]) -> int:
    at_once = most = 0
    for _, change in sorted(moments):
        at_once += change
        most = max(most, at_once)
    return most


async def kill_during_a_job(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    scenario.expect_alerts_for(scenario.observer.terminals)
    fleet = Fleet(scenario.observer.terminals, dict(await scenario.aquery(SITE_OF)))
    async with scenario.during_fault(finding) as window:
        scenario.expect_alerts_for(scenario.observer.terminals)
        made = await prepared(scenario, f"reboot_all({RUN_S}, {AT_ONCE})")
        job, began_at = made["pk"], time.monotonic()
        await executed(fleet, CLOCK_DIES_AT)
        clock = await leading_clock(scenario)
        await asyncio.to_thread(clock.kill)
        await executed(fleet, NODE_DIES_AT)
        node = scenario.environment.nodes[0]
        await asyncio.to_thread(node.kill)
        finding.figures["terminals of the node"] = len(await scenario.linked_to(node))
        sent_s = await seconds_until_executed(fleet, began_at)
        finding.figures["all but the held ones had it after s"] = sent_s
        async with asyncio.timeout(RUN_S + 60):
            while (await scenario.aquery(JOB, job))[0][0] != "finished":
                await asyncio.sleep(1)
        finding.figures["the job was finished after s"] = time.monotonic() - began_at
        await asyncio.to_thread(clock.start)
        await asyncio.to_thread(node.start)
        window.end()
    await count(scenario, finding, fleet, job)


async def executed(fleet: Fleet, share: float) -> None:
    async with asyncio.timeout(120):
        while fleet.executed < share * len(fleet.terminals):
            await asyncio.sleep(0.05)


async def seconds_until_executed(fleet: Fleet, began_at: float) -> float:
    """Seconds until no further terminal got the command for a minute and a half."""
    last, last_at = fleet.executed, time.monotonic()
    while time.monotonic() - last_at < 90 and last < len(fleet.terminals):
        await asyncio.sleep(0.5)
        if fleet.executed != last:
            last, last_at = fleet.executed, time.monotonic()
    return last_at - began_at


async def count(scenario: Scenario[FaultCluster], finding: Finding, fleet: Fleet, job: object) -> None:
    items = {uid: (state, reason) for uid, state, reason, _ in await scenario.aquery(ITEMS, job)}
    states = Counter(state for state, _ in items.values())
    wrong = 0
    for terminal in fleet.terminals:
        state, _ = items.get(terminal.uid, ("missing", ""))
        number = len(terminal.executed)
        wrong += (state == "done" and number != 1) or (state in ("expired", "missing", "skipped") and number != 0)
    ((unfinished,),) = await scenario.aquery(UNFINISHED)
    finding.expect("terminals that got the command twice", fleet.twice, at_most=0)
    finding.expect("sites whose last lane rebooted", fleet.dark_sites(), at_most=0)
    finding.expect("items that say something else than their terminal", wrong, at_most=0)
    finding.expect("items or commands without an end", states["waiting"] + states["sent"] + unfinished, at_most=0)
    finding.figures |= {f"items {state}": number for state, number in sorted(states.items())}
    finding.figures["terminals that got the command"] = fleet.executed
    finding.figures["last lanes that were left alone"] = sum(
        reason == "last_lane" and state == "expired" for state, reason in items.values()
    )


def job_scenario() -> Scenario[FaultCluster]:
    environment = FaultCluster(3, clocks=2, settings=SETTINGS)
    return Scenario(
        environment, agents=0, light=TERMINALS, report_every_s=25, sites=SITES, light_type=RebootingTerminal
    )


FAULTS = (
    Fault(
        "kill-in-job",
        "each terminal gets the command at most once, and no site loses its last lane",
        "a job reboots 5,000 terminals of 2,505 sites, and a node and the clock are killed",
        kill_during_a_job,
    ),
)
