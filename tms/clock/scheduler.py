"""The time-driven loops: presence sweep, pending alerts, expiry. One leader among many processes.

Each loop queries by index what is due, and calls the same services as everything else. Work that may take seconds has a
lane of its own, with its own thread, connection and leader, so that it delays nothing urgent.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import DatabaseError, InterfaceError

from tms.accounts.audit import recorder
from tms.accounts.models.audit_entry import Via
from tms.clock.jobs import LOOPS, Checked, Lane, Loop, check
from tms.clock.leader import Leader, LeadLost
from tms.clock.presence_sweep import catch_up
from tms.feed.publisher import feed
from tms.lib.db.clock import db_clock
from tms.lib.db.errors import is_database_away
from tms.lib.db.thread import DatabaseThread
from tms.metrics import instruments
from tms.ops.health.loop_ages import LoopAges

log = structlog.get_logger(__name__)

RETRY_S = 1.0
RETRY_FAILED_S = 60.0
"""A failed pass is repeated after the loop's interval, at most after this."""


class Clock:
    """Runs the loops while this process leads, each lane independently."""

    def __init__(self, loops: Sequence[Loop] = LOOPS) -> None:
        used = dict.fromkeys(loop.lane for loop in loops)
        self._runners = [Runner(lane, [loop for loop in loops if loop.lane is lane]) for lane in used]

    def start(self) -> None:
        feed().attach()
        for runner in self._runners:
            runner.start()

    async def stop(self) -> None:
        await asyncio.gather(*(runner.stop() for runner in self._runners))


class Runner:
    """Runs the loops of one lane while it leads.

    A failed pass affects no other loop. When the database becomes unavailable, this process gives up the lead:
    otherwise it would hold the lead in vain, and the next leader could not know how long TMS was unavailable.
    """

    def __init__(self, lane: Lane, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self._ages = LoopAges({loop.name: loop.limit_s for loop in loops})
        self._is_prompt = lane is Lane.PROMPT
        self._lead = Leader(lane.value)
        self._thread = DatabaseThread(f"clock-{lane.name.lower()}", keeps_connection=True)
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
        self._report_lead(0)
        self._ages.stop()
        await self._thread.run(self._lead.resign)
        await self._thread.leave()

    async def run(self) -> None:
        while True:
            try:
                await self._thread.run(db_clock().synchronise)  # a process that does not lead reports its health, too
                if await self._thread.run(self._lead.acquire):
                    await self._lead_on()
            except Exception as error:  # any error: another process must be able to lead
                is_away = isinstance(error, DatabaseError | InterfaceError)
                log.warning("clock_away", error=repr(error), exc_info=None if is_away else error)
                await self._thread.run(self._lead.resign)
            self._report_lead(0)
            self._ages.stop()
            await asyncio.sleep(RETRY_S)

    async def _lead_on(self) -> None:
        self._steps = db_clock().steps
        was_away = self._is_prompt and await self._thread.run(catch_up, db_clock().now())
        log.info("clock_leads", loops=[loop.name for loop in self._loops], was_away=was_away)
        self._report_lead(1)
        self._ages.start()
        due = {loop.name: time.monotonic() for loop in self._loops}
        while db_clock().steps == self._steps:  # catch up after a clock change
            await self._run_due(due)
            if self._ages.is_due:
                await self._thread.run(self._write_ages)
            await asyncio.sleep(max(0.0, min(due.values()) - time.monotonic()))

    async def _run_due(self, due: dict[str, float]) -> None:
        """Run the loops that are due, and set when they are due again."""
        began = time.monotonic()
        loops = [loop for loop in self._loops if due[loop.name] <= began]
        checked = await self._check(loops)
        for number, loop in enumerate(loops, 1):
            if self._is_prompt:
                instruments.CLOCK_LAG.set(time.monotonic() - due[loop.name])
            has_succeeded = loop.name in checked.idle or await self._pass(loop, is_checked=loop.name in checked.busy)
            if has_succeeded:
                self._ages.note_success(loop.name)
            due[loop.name] = began + (loop.interval_s if has_succeeded else min(loop.interval_s, RETRY_FAILED_S))
            if loop.is_occasional and loop.name not in checked.idle:
                checked = await self._check(loops[number:])  # it may have created work for them

    async def _check(self, loops: Sequence[Loop]) -> Checked:
        """Find the loops with work. If the statement fails, each loop runs, and checks for itself."""
        if not any(loop.is_occasional for loop in loops):
            return Checked()
        try:
            return await self._thread.run(self._check_at_once, loops)
        except Exception as error:
            if isinstance(error, LeadLost) or is_database_away(error):
                raise
            log.exception("clock_check_failed", loops=[loop.name for loop in loops])
            return Checked()

    async def _pass(self, loop: Loop, *, is_checked: bool) -> bool:
        """Run one pass. Returns whether it succeeded."""
        try:
            await self._thread.run(self._work, loop, is_checked=is_checked)
        except Exception as error:
            instruments.CLOCK_FAILURES.labels(loop.name).inc()
            if isinstance(error, LeadLost) or is_database_away(error):
                raise
            log.exception("clock_pass_failed", loop=loop.name)
            return False
        return True

    def _work(self, loop: Loop, *, is_checked: bool) -> None:
        if (at := self._time()) is not None:
            with recorder.acting(Via.CLOCK):
                loop.run(at, is_checked=is_checked)

    def _check_at_once(self, loops: Sequence[Loop]) -> Checked:
        at = self._time()
        return Checked() if at is None else check(loops, at)

    def _time(self) -> datetime | None:
        """The time of a pass; None after a clock change. Raises LeadLost."""
        self._lead.check()
        db_clock().synchronise()
        at = db_clock().now()
        return at if db_clock().steps == self._steps else None

    def _write_ages(self) -> None:
        self._lead.check()
        self._ages.write(db_clock().now())

    def _report_lead(self, leads: int) -> None:
        if self._is_prompt:
            instruments.CLOCK_LEADS.set(leads)
