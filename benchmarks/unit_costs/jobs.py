"""What a job costs the clock: the start of its run, and the passes that send it."""

import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from benchmarks.unit_costs.plan import UnitPlan
from tms.accounts.models import User
from tms.commands import services as commands
from tms.commands.services import Answered
from tms.fleet.models import Presence, TerminalState
from tms.jobs import runner, starting
from tms.jobs.models import Item, ItemState
from tms.jobs.services import MAX_AT_ONCE, JobValues, create_job
from tms.lib.calendar.recurrence import Occurrence
from tms.lib.db.clock import db_clock

SHARES = {"ping": 1.0, "reboot": 0.1}
"""How much of the fleet gets the command. For `reboot`, all terminals of a site but one have to wait for each other."""


def run_jobs(plan: UnitPlan) -> dict[str, float]:
    """Terminals answer before the next pass."""
    at = db_clock().now()
    TerminalState.objects.update(presence=Presence.ONLINE)
    person = User.objects.create_superuser("jobs", password=None)
    idle = [_ms(lambda: runner.advance.work(at)) for _ in range(20)]
    figures = {"pass without a job: ms": statistics.median(idle)}
    for name, share in SHARES.items():
        figures |= {
            f"{name}: {what}": value for what, value in _run(name, int(plan.terminals * share), person, at).items()
        }
        at += timedelta(hours=2)
    return figures


def _run(name: str, number: int, person: User, at: datetime) -> dict[str, float]:
    job = create_job(
        JobValues(name, name, Occurrence(at, at + timedelta(hours=1)), query="presence:online", at_once=MAX_AT_ONCE),
        by=person,
        at=at,
    )
    start_ms = _ms(lambda: starting.start_due.work(at))
    passes: list[float] = []
    finished = 0
    while finished < number and len(passes) < 10_000:
        at += timedelta(seconds=runner.PASS_S)
        passes.append(_ms(partial(runner.advance.work, at)))
        _answer(at)
        finished = Item.objects.filter(run__job=job, state=ItemState.DONE).count()
    return {
        "start: ms": start_ms,
        "pass: ms": statistics.median(passes),
        "slowest pass: ms": max(passes),
        "items a pass": finished / len(passes),
        "1,000 items: s": 1_000 * runner.PASS_S * len(passes) / max(1, finished),
        "share of the lane: %": 100 * sum(passes) / 1e3 / (runner.PASS_S * len(passes)),
    }


def _answer(at: datetime) -> None:
    sent = commands.dequeue(dict.fromkeys(commands.waiting(at=at), 1), at=at)
    with transaction.atomic():
        commands.record_answers([Answered(one.pk, one.terminal_id, "ok", "") for one in sent], at=at)


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3
