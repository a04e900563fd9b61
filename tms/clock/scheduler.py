"""The time-driven loops: sweep presence, what opens and what ends by time. One leader among many processes.

Each loop asks the database, by index, what is due, and calls the same services as everyone else. Work that may take
seconds has a lane of its own, with its own thread, connection and lead, so that nothing prompt waits for it.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from tms.alerts.lifecycle import firmware
from tms.alerts import correlation, lifecycle
from tms.alerts.suppression import at_open
from tms.alerts.maintenance import services
from tms.alerts.rules.cache import rulebook
from tms.alerts.rules.compiled import Place
from tms.commands import services as commands
from tms.lib.db.errors import is_database_away
from tms.fleet.nodes import dropped_terminals, membership
from tms.fleet.presence import store
from tms.fleet.sites.hours_watcher import Doorman
from tms.fleet.models import Cause, Terminal, TerminalState
from tms.fleet.models.node import BEAT_S, LOST_AFTER_S, Node
from tms.fleet.presence.transitions import Move
from tms.lib.db.clock import wall
from tms.feed.change import Change
from tms.feed.publisher import feed, publish
from tms.feed.hub import hub
from tms.notifications.dispatch import leases, outbox, dispatcher
from tms.notifications.digests import services as digest_services
from tms.notifications.dispatch.dispatcher import Post
from tms.ops.health import heartbeats
from tms.clock import leader
from tms.ops import purge
from tms.metrics import instruments
from tms.clock.leader import Lead, LeadLost
from tms.ops.health.loop_ages import LoopAges
from tms.ops.slo import recorder
from tms.lib.db.jobs import when_any
from tms.lib.set_aside import SetAside, each, isolate
from tms.telemetry.rollups import backfill, hourly
from tms.telemetry.storage import partitions, retention

log = structlog.get_logger(__name__)

RETRY_S = 1.0
RETRY_FAILED_S = 60.0
"""A pass that failed is repeated after its interval, or after this if that is sooner."""
MOST_SWEEPS = 10
"""In one pass; then others have their turn."""
BLIND_AFTER_S = LOST_AFTER_S - BEAT_S
"""A halt that is shorter makes no live node overdue."""


class Lane(Enum):
    """Loops of one lane take turns. The value is the key of the lock by which a lane is led."""

    PROMPT = leader.LOCK
    SLOW = 0x746D73_736C6F77
    """In ASCII: tmsslow."""
    POST = 0x746D73_706F7374
    """tmspost."""


STALLED_AFTER_S = {Lane.PROMPT: 20.0, Lane.SLOW: 900.0, Lane.POST: 20.0}
"""A loop without a success for so long is stalled. In the slow lane one pass may take minutes, and the others wait."""


class Loop(NamedTuple):
    """Something to be done every `interval_s`. `work` runs in its lane's thread."""

    name: str
    interval_s: float
    work: Callable[[datetime], object]
    lane: Lane = Lane.PROMPT

    @property
    def limit_s(self) -> float:
        """Age of the last success at which the loop counts as stalled."""
        return max(STALLED_AFTER_S[self.lane], 3 * self.interval_s)


unswept = SetAside[int]("sweep")
unorphaned = SetAside[int]("nodes")


@when_any(TerminalState.objects.due)
def sweep(at: datetime) -> int:
    """Terminals whose time has come: silent, then offline. In a storm some thousands a transaction."""
    moved = 0
    for _ in range(MOST_SWEEPS):
        due = store.due_terminals(at, without=unswept.keys(at))
        moved += isolate(due, partial(_sweep, at=at), aside=unswept, at=at)
        if len(due) < store.SWEEP_LIMIT:
            break
    return moved


def _sweep(due: Collection[int], at: datetime) -> int:
    moves = store.sweep_due(due, at)
    follow(moves)
    return len(moves)


def orphan(node: str | None, at: datetime, *, cause: Cause = Cause.NODE_STOPPED, since: datetime | None = None) -> int:
    """A node that starts, or is lost, has lost every link it held: its terminals are silent until they are back.

    None stands for all nodes. A transaction for each of some thousands, so that nobody waits long for a row.
    """

    def lose(held: Collection[int]) -> int:
        moves = store.orphan(held, node, at, cause=cause, since=since)
        follow(moves)
        return len(moves)

    orphaned, reached = 0, 0
    while held := store.held_terminals(node, after=reached):
        orphaned += isolate(held, lose, aside=unorphaned, at=at)
        reached = held[-1]
    dropped_terminals.record(node or settings.NODE, at=at)
    return orphaned


def lose_node(node: Node, at: datetime) -> None:
    """Its mark comes last: a leader that dies before leaves the rest to the next one."""
    orphaned = orphan(node.name, at, cause=Cause.NODE_LOST, since=node.beat_at)
    if membership.mark_lost(node):
        log.warning("node_lost", node=node.name, host=node.host, last_beat=node.beat_at, orphaned=orphaned)


class Watch:
    """Looks for nodes that beat no more. Whoever was blind itself (the database away, the process halted, a new
    leader, a clock that jumped) begins anew: for as long as it did not look, a missing beat proves nothing.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looked_at = -BLIND_AFTER_S
        self._steps = wall.steps
        self._judges_from = 0.0

    def look(self, at: datetime) -> None:
        now = self._monotonic()
        if now - self._looked_at >= BLIND_AFTER_S or self._steps != wall.steps:
            self._judges_from, self._steps = now + LOST_AFTER_S, wall.steps
        overdue = list(Node.objects.overdue()) if now >= self._judges_from else []
        # By a clock that jumped a moment ago every beat is old.
        if overdue and wall.goes_on() and self._steps == wall.steps:
            each(overdue, lambda node: lose_node(node, at), loop="nodes")
        self._looked_at = self._monotonic()


def catch_up(at: datetime) -> bool:
    """Whether TMS itself was away; then nobody is called silent or offline before the reconnect grace is over."""
    last = heartbeats.late_by(heartbeats.CLOCK, at=at)
    if last is None or last < heartbeats.LATE:
        return False
    until = at + timedelta(seconds=settings.RECONNECT_GRACE_S)
    with transaction.atomic():
        store.postpone(until)
        lifecycle.postpone(until)
    return True


def follow(moves: Sequence[Move]) -> None:
    """Alerts of presence rules, and the feed."""
    if not moves:
        return
    moved = frozenset(move.terminal_id for move in moves)
    rows = Terminal.objects.filter(pk__in=moved).values_list("pk", "site_id", "kind", "model")
    places = {row[0]: Place(*row) for row in rows}
    lifecycle.settle(lifecycle.follow_presence(moves, rulebook.refresh(), places))
    publish(Change(terminals=moved, presence=moved))


LOOPS: tuple[Loop, ...] = (
    Loop("sweep", 0.5, sweep),
    Loop("open_due", 0.5, lifecycle.open_due),
    Loop("fold", 0.5, correlation.fold),
    Loop("lapse", 1.0, lifecycle.lapse),
    Loop("calm", 1.0, lifecycle.calm_down),
    Loop("claims", 1.0, lifecycle.end_claims),
    Loop("contracts", 1.0, lifecycle.expire),
    Loop("reminders", 10.0, lifecycle.remind),
    Loop("nodes", 1.0, Watch().look),
    Loop("maintenance", 1.0, services.turn),
    Loop("expire", 1.0, commands.expire),
    Loop("beat", 2.0, lambda at: heartbeats.beat(heartbeats.CLOCK, at=at)),
    Loop("partition", 300.0, partitions.keep_up, Lane.SLOW),
    Loop("firmware", 30.0, firmware.follow_all, Lane.SLOW),
    Loop("looking", 2.0, at_open.look, Lane.SLOW),
    Loop("count", 3.0, backfill.count, Lane.SLOW),
    Loop("roll_up", 2.0, hourly.advance, Lane.SLOW),
    Loop("retire", 3600.0, retention.retire, Lane.SLOW),
    Loop("doors", 2.0, Doorman().look, Lane.SLOW),
    Loop("forget", 3600.0, dispatcher.forget, Lane.SLOW),
    Loop("purge", 3600.0, purge.purge, Lane.SLOW),
    Loop("loops", 600.0, lambda at: purge.forget_loops([loop.name for loop in LOOPS]), Lane.SLOW),
    Loop("promises", 3600.0, recorder.forget, Lane.SLOW),
    Loop("digests", 5.0, digest_services.send_due, Lane.POST),
    Loop("outbox", 0.5, outbox.advance, Lane.POST),
    Loop("post", 0.5, Post().make_the_round, Lane.POST),
    Loop("rescue", 5.0, leases.rescue, Lane.POST),
)


class Clock:
    """Runs the loops while this process leads, each lane by itself."""

    def __init__(self, loops: Sequence[Loop] = LOOPS) -> None:
        used = dict.fromkeys(loop.lane for loop in loops)
        self._runners = [Runner(lane, [loop for loop in loops if loop.lane is lane]) for lane in used]

    def start(self) -> None:
        hub.listeners.add(rulebook)
        feed.attach()
        for runner in self._runners:
            runner.start()

    async def stop(self) -> None:
        await asyncio.gather(*(runner.stop() for runner in self._runners))


class Runner:
    """Runs the loops of one lane while it leads.

    A pass that fails fails alone. A database that is away ends the lead, so that this process never holds it in vain,
    and so that the next leader finds out for how long nothing could be heard.
    """

    def __init__(self, lane: Lane, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self._ages = LoopAges({loop.name: loop.limit_s for loop in loops})
        self._is_prompt = lane is Lane.PROMPT
        self._lead = Lead(lane.value)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"clock-{lane.name.lower()}")
        self._task: asyncio.Task[None] | None = None
        self._steps = 0

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.run(), name=f"clock {self._loops[0].name}")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tell_lead(0)
        self._ages.stop()
        await self._in_thread(self._lead.resign)
        self._thread.shutdown()

    async def run(self) -> None:
        while True:
            try:
                await self._in_thread(wall.keep)  # a process that does not lead tells of its health, too
                if await self._in_thread(self._lead.take):
                    await self._lead_on()
            except Exception as error:  # whatever it is, the lead must not be held in vain
                is_away = isinstance(error, DatabaseError | InterfaceError)
                log.warning("clock_away", error=repr(error), exc_info=None if is_away else error)
                await self._in_thread(self._lead.resign)
            self._tell_lead(0)
            self._ages.stop()
            await asyncio.sleep(RETRY_S)

    async def _lead_on(self) -> None:
        self._steps = wall.steps
        was_away = self._is_prompt and await self._in_thread(catch_up, wall.now())
        log.info("clock_leads", loops=[loop.name for loop in self._loops], was_away=was_away)
        self._tell_lead(1)
        self._ages.start()
        due = {loop.name: time.monotonic() for loop in self._loops}
        while wall.steps == self._steps:  # a clock that jumped must be caught up with
            for loop in self._loops:
                now = time.monotonic()
                if due[loop.name] <= now:
                    if self._is_prompt:
                        instruments.CLOCK_LAG.set(now - due[loop.name])
                    has_succeeded = await self._pass(loop)
                    due[loop.name] = now + (loop.interval_s if has_succeeded else min(loop.interval_s, RETRY_FAILED_S))
            if self._ages.is_due:
                await self._in_thread(self._write_ages)
            await asyncio.sleep(max(0.0, min(due.values()) - time.monotonic()))

    async def _pass(self, loop: Loop) -> bool:
        """Whether it succeeded."""
        try:
            await self._in_thread(self._work, loop)
        except Exception as error:
            instruments.CLOCK_FAILURES.labels(loop.name).inc()
            if isinstance(error, LeadLost) or is_database_away(error):
                raise
            log.exception("clock_pass_failed", loop=loop.name)
            return False
        self._ages.succeeded(loop.name)
        return True

    def _work(self, loop: Loop) -> None:
        self._lead.check()
        wall.keep()
        at = wall.now()
        if wall.steps == self._steps:
            loop.work(at)

    def _write_ages(self) -> None:
        self._lead.check()
        self._ages.write(wall.now())

    def _tell_lead(self, leads: int) -> None:
        if self._is_prompt:
            instruments.CLOCK_LEADS.set(leads)

    async def _in_thread[**P, R](self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **kwargs))
