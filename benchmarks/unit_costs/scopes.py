"""What a change costs a process whose boards are those of people with one scope, and with many."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain, cycle, islice
from math import inf

from django.db import transaction

from benchmarks.measuring.meter import Meter, cost
from benchmarks.unit_costs.plan import UnitPlan
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Rule, RuleSource
from tms.boards.list_filters.filters import AlertFilter
from tms.boards.live.board_hub import BoardHub, board_hub
from tms.boards.live.subscriber import Subscriber
from tms.boards.pages import AlertsPage, BoardPage, OverviewPage
from tms.feed.change import Change
from tms.feed.hub import hub
from tms.feed.publisher import feed
from tms.fleet.models import Site, Terminal
from tms.lib.db.clock import db_clock
from tms.lib.db.thread import DatabaseThread
from tms.runtime.listeners import ProcessRole, register, unregister

PATIENCE_S = 60
ALERT, ALL = "an alert", "every overview"


class AgelessOverview(OverviewPage):
    """Age does not count: it is no change."""

    lasts_s = inf


class AgelessAlerts(AlertsPage):
    lasts_s = inf


class Reader:
    """A browser that accepts everything at once."""

    unwritten = 0

    def __init__(self) -> None:
        self.frames = 0

    def send(self, text: str) -> None:
        self.frames += 1

    def close(self, code: int, reason: str) -> None:
        raise AssertionError(reason)


class Alerts:
    """Alerts that open and are resolved, at one site after another."""

    def __init__(self, plan: UnitPlan) -> None:
        rule = Rule.objects.filter(kind=RuleSource.METRIC).order_by("pk")[0].pk
        terminals = list(Terminal.objects.order_by("pk").values_list("pk", flat=True))
        self._rule = rule
        self._changing = terminals[plan.open_alerts :]
        at = db_clock().now()
        self._apply([RuleTriggered(rule, terminal, at) for terminal in terminals[: plan.open_alerts]])

    def steps(self) -> Iterator[tuple[bool, int]]:
        """Whether an alert opens, and the terminal; without end."""
        return chain.from_iterable(((True, terminal), (False, terminal)) for terminal in cycle(self._changing))

    def step(self, is_opening: bool, terminal: int) -> None:
        kind = RuleTriggered if is_opening else RuleCleared
        self._apply([kind(self._rule, terminal, db_clock().now())])

    @transaction.atomic
    def _apply(self, events: Sequence[RuleTriggered | RuleCleared]) -> None:
        lifecycle.apply_events(events)


class Arrived:
    """A listener that notes the first subscription, and each change of an alert."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def changed(self, change: Change) -> None:
        if change.alerts or change.everything:
            self.event.set()

    async def wait(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.event.wait()
        self.event.clear()


def compare(plan: UnitPlan, processes: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """µs of a change of one alert, and of one that concerns every overview; of one process and PostgreSQL.

    In turns, because the machine is not always equally fast.
    """
    alerts, meter = Alerts(plan), Meter(processes)
    variants = {"one scope": [EVERYTHING], f"{plan.scopes} scopes": _scopes(plan.scopes)}
    spent: Counter[tuple[str, str, str]] = Counter()
    for name, scopes in [*variants.items()] * plan.turns:
        for (of, part), seconds in asyncio.run(_spent(plan, scopes, alerts, meter)).items():
            spent[of, name, part] += round(seconds / (plan.turns * plan.board_changes) * 1e9)
    figures = {f"{of}, {name}, {part} µs": value / 1e3 for (of, name, part), value in spent.items()}
    return figures | {f"{of}, ratio": _ratio(spent, of, *variants) for of in (ALERT, ALL)}


def _ratio(spent: Mapping[tuple[str, str, str], int], of: str, one: str, many: str) -> float:
    sums = [sum(value for (*of_what, _), value in spent.items() if of_what == [of, name]) for name in (one, many)]
    return sums[1] / sums[0]


def _scopes(number: int) -> list[Scope]:
    """Disjoint ones, of as many sites each."""
    sites = list(Site.objects.order_by("pk").values_list("pk", flat=True))
    return [Scope(sites=frozenset(sites[index::number])) for index in range(number)]


async def _spent(
    plan: UnitPlan, scopes: Sequence[Scope], alerts: Alerts, meter: Meter
) -> Mapping[tuple[str, str], float]:
    """CPU of the passes, in seconds, by change and process; without that of the changes themselves."""
    spent: dict[tuple[str, str], float] = {}
    arrived, thread = Arrived(), DatabaseThread("alerts")
    async with _boards(plan, scopes, arrived) as boards:
        for step in islice(alerts.steps(), plan.board_changes):
            await thread.run(alerts.step, *step)
            await arrived.wait()
            await _metered_pass(boards, meter, spent, ALERT)
        for _ in range(plan.board_changes):
            boards.collect(Change(nodes=True))
            await _metered_pass(boards, meter, spent, ALL)
        await thread.leave()
    return spent


async def _metered_pass(boards: BoardHub, meter: Meter, spent: dict[tuple[str, str], float], of: str) -> None:
    before = meter.read()
    await _pass(boards)
    for name, cpu_s in cost(before, meter.read()).cpu_s.items():
        spent[of, name] = spent.get((of, name), 0.0) + cpu_s


async def _pass(boards: BoardHub) -> None:
    await boards.run_once()
    while any(live_page.is_partial for live_page in boards.live_pages.values()):
        await boards.run_once()


@asynccontextmanager
async def _boards(plan: UnitPlan, scopes: Sequence[Scope], arrived: Arrived) -> AsyncIterator[BoardHub]:
    """A hub without its periodic tasks; all boards are painted."""
    board_hub.reset()
    register(ProcessRole.BOARDS)
    hub().listeners.add(arrived)
    hub().start()
    await arrived.wait()
    boards, readers = board_hub(), [Reader() for _ in range(plan.boards)]
    for person, reader in enumerate(readers):
        subscriber = Subscriber(reader, person=person, session="", rights_key="")
        boards.subscribe(_page(scopes, person), "en", subscriber)
    await _pass(boards)
    await _pass(boards)
    assert all(reader.frames for reader in readers)
    yield boards
    unregister(ProcessRole.BOARDS)
    hub().listeners.discard(arrived)
    await boards.stop()
    await hub().stop()
    await feed().detach()


def _page(scopes: Sequence[Scope], number: int) -> BoardPage:
    """A page: half of those of each scope are overviews, and half are lists of alerts."""
    scope = scopes[number % len(scopes)]
    return AgelessAlerts(scope, AlertFilter()) if number // len(scopes) % 2 else AgelessOverview(scope)
