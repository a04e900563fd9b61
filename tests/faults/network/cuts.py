"""The network is cut, without notice to either end: between terminals and a node, and between a node and its stores."""

import asyncio
import re
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.processes.node import NodeProcess
from deploy.processes.postgresql import PostgreSQL
from deploy.processes.redis import Redis
from deploy.processes.service import HOST
from tests.faults.fault import Fault, Finding
from tests.faults.network.cables import Namespace, needs_namespaces
from tests.faults.scenario.attribution import KnownOutage, compare_availability, linked_since
from tests.faults.scenario.environment import FAST_SETTINGS, FaultCluster
from tests.faults.scenario.scenario import Scenario, seconds_until_acknowledged

SHOP, OFFICE, STORES = "shop", "office", "stores"
"""Cables of the node: to the terminals, to the boards, to PostgreSQL and Redis."""
CUT_S = 22.0
HALF_OPEN_S = float(FAST_SETTINGS["TMS_PING_INTERVAL_S"]) + float(FAST_SETTINGS["TMS_PING_TIMEOUT_S"]) + 2
"""The time in which a half-open link is found: a ping, its time-out, and two seconds for the timers."""
LINKS = re.compile(r"^tms_connections (\S+)", re.MULTILINE)


class CabledPostgreSQL(PostgreSQL):
    """Listens on the address of a cable, too."""

    def __init__(self, folder: Path, port: int, address: str) -> None:
        super().__init__(durable=True, name="postgresql", folder=folder, port=port)
        self.address = address

    @property
    def command(self) -> Sequence[str]:
        return [f"{HOST},{self.address}" if word == HOST else word for word in super().command]

    def launch(self) -> None:
        is_new = not self.data.exists()
        if is_new:
            self._initialise()
            with (self.data / "pg_hba.conf").open("a") as access:
                access.write("host all all 10.0.0.0/8 trust\n")
        super().launch()


class CabledRedis(Redis):
    def __init__(self, folder: Path, port: int, address: str) -> None:
        super().__init__(folder=folder, port=port)
        self.address = address

    @property
    def command(self) -> Sequence[str]:
        words = [word for each in super().command for word in ([HOST, self.address] if each == HOST else [each])]
        return [*words, "--protected-mode", "no"]


class CabledNode(NodeProcess):
    """A node in a namespace, connected only by cables."""

    namespace: Namespace

    @property
    def arguments(self) -> Sequence[str]:
        return ["serve", "--host", "0.0.0.0", "--port", str(self.port)]

    @property
    def command(self) -> Sequence[str]:
        return self.namespace.inside(*super().command)

    @property
    def url(self) -> str:
        return f"http://{self.namespace.cables[OFFICE].there}:{self.port}"

    @property
    def link(self) -> str:
        return f"ws://{self.namespace.cables[SHOP].there}:{self.port}/ws/terminal/"


class CabledCluster(FaultCluster):
    """One node in a namespace, connected by three cables; everything else is outside it."""

    def __init__(self) -> None:
        super().__init__(1)
        self.namespace = Namespace()
        self.node = CabledNode(name="node-1", folder=self.folder / "node-1", environment=self.environment)
        self.node.namespace = self.namespace
        self.nodes = [self.node]

    def start_stores(self) -> None:
        self.namespace.open(SHOP, OFFICE, STORES)
        here = self.namespace.cables[STORES].here
        self.postgresql = CabledPostgreSQL(self.postgresql.folder, self.postgresql.port, here)
        self.redis = CabledRedis(self.redis.folder, self.redis.port, here)
        for name in ("TMS_DATABASE_URL", "TMS_REDIS_URL"):
            self.node.environment[name] = self.node.environment[name].replace(HOST, here)
        super().start_stores()

    def stop(self) -> None:
        super().stop()
        if self.namespace.cables:
            self.namespace.close()

    @property
    def url(self) -> str:
        return self.node.url

    @property
    def link(self) -> str:
        return self.node.link


async def cut_off_the_shop(scenario: Scenario[CabledCluster], finding: Finding) -> None:
    """Terminals continue without TMS, and TMS must detect the half-open links."""
    cable, observer = scenario.environment.namespace.cables[SHOP], scenario.observer
    connections_before = await asyncio.to_thread(connections, scenario.environment.node)
    async with scenario.during_fault(finding) as window:
        scenario.expect_alerts_for(observer.terminals)
        await asyncio.to_thread(cable.cut)
        began_at, cut_at = time.monotonic(), time.time()
        try:
            found_s = await seconds_until_dropped(
                scenario, connections_before - len(observer.terminals), since=began_at
            )
            await asyncio.sleep(max(0.0, began_at + CUT_S - time.monotonic()))
        finally:
            await asyncio.to_thread(cable.repair)
        window.end()
        repaired_at = time.monotonic()
        back_s = await scenario.seconds_until_back(observer.terminals, within_s=60, since=began_at)
        finding.figures["s until all were reconnected"] = (back_s or 0) - (repaired_at - began_at)
    lost = [KnownOutage(each.uid, "network", cut_at, linked_since(each)) for each in observer.terminals]
    await compare_availability(scenario, finding, lost)
    finding.expect("half-open links found", found_s, at_most=HALF_OPEN_S, unit="s")


async def cut_off_the_stores(scenario: Scenario[CabledCluster], finding: Finding) -> None:
    """A node that reaches neither PostgreSQL nor Redis keeps its links, and acknowledges nothing."""
    cable, observer, losses = scenario.environment.namespace.cables[STORES], scenario.observer, scenario.observer.losses
    async with scenario.during_fault(finding) as window:
        await asyncio.to_thread(cable.cut)
        await asyncio.sleep(1)
        acked = observer.acked
        try:
            await asyncio.sleep(CUT_S)
            finding.expect("acknowledged meanwhile", observer.acked - acked, at_most=0)
        finally:
            await asyncio.to_thread(cable.repair)
        window.end()
        recovered_s = await seconds_until_acknowledged(observer.terminals)
    finding.expect("all waiting reports acknowledged", recovered_s, at_most=30, unit="s")
    finding.expect("links lost", observer.losses - losses, at_most=0)
    unaware = sum(board.most_behind_s < CUT_S / 4 for board in scenario.boards)
    finding.expect("boards that did not show that they were behind", unaware, at_most=0)


def connections(node: NodeProcess) -> float:
    return float(LINKS.findall(node.get("/metrics")[1])[0])


async def seconds_until_dropped(scenario: Scenario[CabledCluster], left: float, *, since: float) -> float | None:
    """Seconds until no more than `left` connections are open."""
    while (took_s := time.monotonic() - since) < CUT_S:
        if await asyncio.to_thread(connections, scenario.environment.node) <= left:
            return took_s
        await asyncio.sleep(0.1)
    return None


FAULTS = (
    Fault(
        "cut-shop",
        "a half-open link is found by its next ping",
        "the network between terminals and a node is cut",
        cut_off_the_shop,
        needs_namespaces,
    ),
    Fault(
        "cut-stores",
        "links stay open, and reports wait for the database",
        "the network between a node and its stores is cut",
        cut_off_the_stores,
        needs_namespaces,
    ),
)
