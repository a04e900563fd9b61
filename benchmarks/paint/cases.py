"""The pages and changes that are measured."""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import NamedTuple

from benchmarks.paint import plain
from benchmarks.paint.changes import STEP, ConnectedFleet
from benchmarks.paint.plan import PaintPlan
from benchmarks.paint.recording import Recorder
from benchmarks.paint.trace import PaintedChange


class Case(NamedTuple):
    path: str
    change: Callable[[ConnectedFleet], None]
    is_long: bool = True
    """Whether the page has a row for each terminal."""


CASES = {
    "terminals: status of 1 row": Case("/terminals/", ConnectedFleet.change_status),
    "terminals: status of 10 rows": Case("/terminals/", lambda fleet: fleet.change_status(10)),
    "alerts: 1 row stays": Case("/alerts/?order=oldest", ConnectedFleet.change_severity),
    "alerts: 1 row moves": Case("/alerts/?order=severity", ConnectedFleet.change_severity),
    "alerts: 10 rows stay": Case("/alerts/?order=oldest", lambda fleet: fleet.change_severity(10)),
    "overview: totals": Case("/", ConnectedFleet.change_severity, is_long=False),
    "alerts: no change": Case("/alerts/", lambda _fleet: None),
}
BASELINES = {"plain table: 1 row replaced": plain.ROW, "plain table: all rows replaced": plain.ALL}


async def record_board(case: Case, recorder: Recorder, fleet: ConnectedFleet, plan: PaintPlan) -> list[PaintedChange]:
    page = await recorder.board(case.path, rows=plan.rows if case.is_long else 1, settle_s=plan.settle_s)
    return await recorder.record(page, partial(case.change, fleet), times=plan.changes, every_s=plan.every_s)


async def record_plain(function: str, recorder: Recorder, plan: PaintPlan) -> list[PaintedChange]:
    page, numbers = await recorder.plain(plan.rows), count(step=STEP)
    return await recorder.record(
        page,
        lambda: page.evaluate(f"{function}({next(numbers) % plan.rows})"),
        times=plan.changes,
        every_s=plan.every_s,
    )
