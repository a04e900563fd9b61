"""Twenty sites go offline at once, and two destinations are notified.

There is one incident and one message for each site, or one incident of all sites if incidents of sites are merged.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from typing import Any

from tests.faults.fault import Fault, Finding
from tests.faults.processes.leader import await_other_leader, leading_clock
from tests.faults.scenario.boards import Board
from tests.faults.scenario.environment import FaultCluster
from tests.faults.scenario.light import LightTerminal
from tests.faults.scenario.observer import until
from tests.faults.scenario.scenario import Scenario, seconds_until
from tests.support.notifications.webhook_receiver import ReceivedRequest, WebhookReceiver, run_receiver

SITES, TERMINALS_PER_SITE, LOST_PER_SITE = 20, 26, 25
SPREAD_S = 5.0
DESTINATIONS = ("one", "two")
ANSWER_DELAY_S = 0.05
"""Latency of a destination, so that a delivery is in progress whenever a process is killed."""
SETTINGS = {"TMS_INSIDE_DESTINATIONS": "127.0.0.1/32", "TMS_CONNECTIONS_PER_ADDRESS": "5000"}
ROWS_PRINTED = 10
ROW = re.compile(r'id="(incident-\d+)"')
BADGE = re.compile(r'id="nav-alerts"[^>]*>\s*(\d+)')
INCIDENTS = "SELECT id FROM alerts_incident WHERE id > %s ORDER BY id"
WIDE = "SELECT id FROM alerts_incident WHERE id > %s AND site_count > 0"
NEWEST = "SELECT coalesce(max(id), 0) FROM alerts_incident"
UNRESOLVED = """
SELECT i.id, i.state, i.site_count, count(a.id) FILTER (WHERE a.state <> 'resolved'), count(a.id)
FROM alerts_incident i LEFT JOIN alerts_alert a ON a.incident_id = i.id
WHERE i.id > %s AND i.state <> 'resolved' GROUP BY i.id ORDER BY i.id
"""
"""Incident, state, sites, unresolved alerts, alerts."""
SITE_OF_TERMINAL = """
SELECT t.uid, s.code FROM fleet_terminal t JOIN fleet_site s ON s.id = t.site_id
"""
TIMELINE = """
SELECT x.kind, x.number, x.open_count, extract(epoch FROM x.at - i.opened_at)::float
FROM alerts_incidenttransition x JOIN alerts_incident i ON i.id = x.incident_id
JOIN fleet_site s ON s.id = i.site_id
WHERE x.incident_id > %s AND s.code = %s ORDER BY x.at, x.id
"""
NOT_NOTIFIED = """
SELECT 'delivery', id, state FROM notifications_delivery WHERE state IN ('waiting', 'sending')
UNION ALL SELECT 'transition', id, kind FROM alerts_incidenttransition WHERE dispatched_at IS NULL
"""


class IncidentBoard(Board):
    """The page of alerts: when incidents appeared first, rows of single alerts, and the number in the navigation."""

    def __init__(self, url: str, cookie: str) -> None:
        super().__init__(url, "/alerts/", cookie)
        self.seen_at: dict[str, float] = {}
        self.singles: set[str] = set()
        self.badge: list[tuple[float, int]] = []
        """When the number in the navigation was received, and the number."""

    def _apply(self, frame: dict[str, Any]) -> None:
        super()._apply(frame)
        for element in ROW.findall(frame.get("html", "")):
            self.seen_at.setdefault(element, time.monotonic())
        order = frame.get("list") or {}
        if order.get("of") == "alerts":
            rows = [*order.get("ids", ()), *(row for row, _ in order.get("put", ()))]
            self.singles |= {row for row in rows if row.startswith("alert-")}
        self.badge += [(time.monotonic(), int(number)) for number in BADGE.findall(frame.get("html", ""))]

    @property
    def falls(self) -> int:
        return sum(later < earlier for (_, earlier), (_, later) in pairwise(self.badge))


class Storm:
    """Terminals by site; all but one of each site are lost."""

    def __init__(
        self, scenario: Scenario[FaultCluster], receiver: WebhookReceiver, sites: Mapping[str, Sequence[LightTerminal]]
    ) -> None:
        self.scenario = scenario
        self.receiver = receiver
        self.lost = [terminal for site in sites.values() for terminal in site[:LOST_PER_SITE]]
        self.late_site, members = next(iter(sites.items()))
        self.late = members[LOST_PER_SITE]
        self.board = IncidentBoard(scenario.environment.url, scenario.cookie)
        self.began_at = 0.0

    async def begin(self) -> None:
        """Disconnect them within five seconds, in a mixed order of sites."""
        self.began_at = time.monotonic()
        for terminal in sorted(self.lost, key=lambda each: hash(each.uid)):
            await terminal.go_offline()
            await asyncio.sleep(SPREAD_S / len(self.lost) * 0.8)

    def reconnect(self, terminals: Sequence[LightTerminal]) -> None:
        for terminal in terminals:
            terminal.come_online()

    def events_of_kind(self, news: str) -> list[tuple[str, int]]:
        """(destination, incident) of each received event of this kind."""
        return [(where, pk) for where, kind, pk, _ in self._events() if kind == f"tms.incidents.{news}.v1"]

    def unmarked(self) -> int:
        """Events that a destination received again without the mark of a possible duplicate."""
        seen: set[tuple[str, str, int]] = set()
        unmarked = 0
        for where, kind, pk, is_marked in self._events():
            unmarked += (where, kind, pk) in seen and not is_marked
            seen.add((where, kind, pk))
        return unmarked

    def single_alert_events(self) -> int:
        """Events of anything but incidents."""
        return sum(not kind.startswith("tms.incidents.") for _, kind, _, _ in self._events())

    def _events(self) -> list[tuple[str, str, int, bool]]:
        return [
            (posted.path, event["type"], one["id"], "possibleduplicate" in event)
            for posted in list(self.receiver.posted)
            for event in [posted.event]
            for one in event["data"].get("incidents") or [{"id": 0}]
        ]


def storm_scenario() -> Scenario[FaultCluster]:
    environment = FaultCluster(3, clocks=2, settings=SETTINGS)
    return Scenario(environment, agents=0, light=SITES * TERMINALS_PER_SITE, report_every_s=3, sites=SITES)


def answer_slowly(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    time.sleep(ANSWER_DELAY_S)
    return 204, {}


@asynccontextmanager
async def storm_in_progress(
    scenario: Scenario[FaultCluster], finding: Finding, *, merges_sites: bool = False
) -> AsyncIterator[Storm]:
    """Start the storm; at the end of the block everything recovers, and is counted."""
    site_of = dict(await scenario.aquery(SITE_OF_TERMINAL))
    sites: dict[str, list[LightTerminal]] = {}
    for terminal in scenario.observer.terminals:
        assert isinstance(terminal, LightTerminal)
        sites.setdefault(site_of[terminal.uid], []).append(terminal)
    with closing(run_receiver()) as receivers:
        receiver = next(receivers)
        receiver.usual = answer_slowly
        addresses = ", ".join(repr(f"http://{receiver.host}:{receiver.port}/{name}") for name in DESTINATIONS)
        await scenario.manage(
            "shell",
            "-c",
            "from tests.faults.scenario import enrol; "
            f"enrol.add_rule_and_policy({addresses}, merges_sites={merges_sites})",
        )
        storm = Storm(scenario, receiver, sites)
        async with storm.board, scenario.during_fault(finding):
            await seconds_until(lambda: bool(storm.board.proof), within_s=10)
            newest = (await scenario.aquery(NEWEST))[0][0]
            scenario.expect_alerts_for([*storm.lost, storm.late])
            await storm.begin()
            yield storm
            await _recover(scenario, storm, newest)
        await (_count_merged if merges_sites else _count)(scenario, storm, finding, newest)
    await scenario.manage("shell", "-c", "from tms.notifications.models import Policy; Policy.objects.all().delete()")


async def _recover(scenario: Scenario[FaultCluster], storm: Storm, newest: int) -> None:
    """Half of each site, then one more is lost, then all are back."""
    half = [terminal for index, terminal in enumerate(storm.lost) if index % 2]
    storm.reconnect(half)
    await scenario.seconds_until_back(half, within_s=60, since=storm.began_at)
    await storm.late.go_offline()
    await asyncio.sleep(12)  # longer than the window of one transition in the history
    storm.reconnect([*storm.lost, storm.late])
    await scenario.seconds_until_back(storm.lost, within_s=60, since=storm.began_at)
    await _until_none(scenario, UNRESOLVED, newest)
    await _until_none(scenario, NOT_NOTIFIED)


async def _until_none(scenario: Scenario[FaultCluster], sql: str, *parameters: Any, within_s: float = 90) -> None:
    """Raises TimeoutError with the rows that are left."""
    deadline = time.monotonic() + within_s
    while rows := await scenario.aquery(sql, *parameters):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(rows)} rows are left: {rows[:ROWS_PRINTED]}")
        await asyncio.sleep(0.2)


async def _count(scenario: Scenario[FaultCluster], storm: Storm, finding: Finding, newest: int) -> None:
    incidents = [pk for (pk,) in await scenario.aquery(INCIDENTS, newest)]
    wanted = {(f"/{name}", pk) for name in DESTINATIONS for pk in incidents}
    seen = [at - storm.began_at for at in storm.board.seen_at.values()]
    finding.expect("incidents other than one per site", abs(len(incidents) - SITES), at_most=0)
    finding.expect("first on the board", min(seen, default=None), at_most=3, unit="s")
    for news in ("opened", "resolved"):
        events_of_kind = Counter(storm.events_of_kind(news))
        finding.expect(f"{news}: not notified", len(wanted - events_of_kind.keys()), at_most=0)
        finding.figures[f"{news}: notifications"] = sum(events_of_kind.values())
    finding.expect("duplicates without a mark", storm.unmarked(), at_most=0)
    finding.expect("notifications of single alerts", storm.single_alert_events(), at_most=0)
    finding.figures["last on the board s"] = max(seen, default=0.0)
    print(f"\n{timeline(await scenario.aquery(TIMELINE, newest, storm.late_site))}\n")


async def _count_merged(scenario: Scenario[FaultCluster], storm: Storm, finding: Finding, newest: int) -> None:
    """What was notified as opened is notified as resolved: nothing stays open in a system that follows TMS."""
    wide = [pk for (pk,) in await scenario.aquery(WIDE, newest)]
    opened, resolved = (set(storm.events_of_kind(news)) for news in ("opened", "resolved"))
    finding.expect("incidents of many sites other than one", abs(len(wide) - 1), at_most=0)
    missing = {(f"/{name}", pk) for name in DESTINATIONS for pk in wide} - opened
    finding.expect("opened: not notified", len(missing), at_most=0)
    finding.expect("opened but never resolved", len(opened - resolved), at_most=0)
    finding.expect("duplicates without a mark", storm.unmarked(), at_most=0)
    finding.expect("notifications of single alerts", storm.single_alert_events(), at_most=0)
    finding.figures["opened: notifications"] = len(opened)


def timeline(rows: Sequence[tuple[Any, ...]]) -> str:
    """The history of an incident as text: seconds since it opened, what, of how many, and how many are left."""
    return "\n".join(
        f"{at:8.1f} s  {kind:<12} {number:>3}  {unresolved:>3} unresolved" for kind, number, unresolved, at in rows
    )


async def lose_twenty_sites(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with storm_in_progress(scenario, finding) as storm:
        await until(lambda: len(storm.events_of_kind("opened")) >= SITES * len(DESTINATIONS), within_s=60)


async def lose_twenty_sites_as_one(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with storm_in_progress(scenario, finding, merges_sites=True) as storm:
        await until(lambda: len(storm.events_of_kind("opened")) >= len(DESTINATIONS), within_s=60)


async def lose_twenty_sites_before_boards(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    async with storm_in_progress(scenario, finding, merges_sites=True) as storm:
        await until(lambda: len(storm.events_of_kind("opened")) >= len(DESTINATIONS), within_s=60)
        finding.expect("rows of single alerts", len(storm.board.singles), at_most=0)
        finding.expect("the number fell while it grew", storm.board.falls, at_most=0)
        print("\n" + "\n".join(f"{at - storm.began_at:8.1f} s  {number:>3}" for at, number in storm.board.badge) + "\n")


async def kill_processes_meanwhile(scenario: Scenario[FaultCluster], finding: Finding) -> None:
    """Kill a node while terminals are lost; then, while messages are sent, one clock after the other."""
    node = scenario.environment.nodes[0]
    async with storm_in_progress(scenario, finding) as storm:
        await asyncio.to_thread(node.kill)
        await until(lambda: len(storm.events_of_kind("opened")) >= 3, within_s=60)
        for _ in scenario.environment.clocks:
            leader = await leading_clock(scenario)
            await asyncio.to_thread(leader.kill)
            await await_other_leader(scenario, finding, leader)
            await asyncio.to_thread(leader.start)
        await asyncio.to_thread(node.start)
        # Deliveries in progress stay leased for three quarters of a minute.
        await until(lambda: len(set(storm.events_of_kind("opened"))) >= SITES * len(DESTINATIONS), within_s=120)


FAULTS = (
    Fault(
        "storm",
        "one incident for each site, notified once",
        "500 terminals of 20 sites are lost within 5 s",
        lose_twenty_sites,
    ),
    Fault(
        "storm-kill",
        "one incident for each site, notified once",
        "the same, and a node and both clocks are killed",
        kill_processes_meanwhile,
    ),
    Fault(
        "storm-on-boards",
        "one incident for each site, notified once",
        "the same as one incident, while a board is watched: no row of a single alert, and no number that falls",
        lose_twenty_sites_before_boards,
    ),
    Fault(
        "storm-merged",
        "one incident for many sites, notified once",
        "500 terminals of 20 sites are lost as one incident",
        lose_twenty_sites_as_one,
    ),
)
