"""The measurements of one fleet."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from django.db import connection

from benchmarks.measuring.quantiles import in_ms
from benchmarks.replay.plan import ReplayPlan
from tms.accounts.scope import EVERYTHING, Scope
from tms.fleet.models import Site, Terminal
from tms.replay import snapshots
from tms.replay.density import counting, density
from tms.replay.models import FleetCount, SiteCount, Snapshot
from tms.replay.state import Moment

type Figures = dict[str, dict[str, float]]

SHOWN_ALERTS = 20
"""Rows of alerts on an overview."""


def measure(plan: ReplayPlan, *, at: datetime) -> Figures:
    """By step, each with its figures."""
    chance = Random(16)
    instants = [at - timedelta(days=chance.uniform(0, plan.days)) for _ in range(plan.moments)]
    site = Scope(sites=frozenset(Site.objects.order_by("pk").values_list("pk", flat=True)[:1]))
    one = Terminal.objects.latest("pk")
    return {
        "snapshots": _snapshots(at),
        "board": _each(instants, lambda instant: read_board(Moment(instant, now=at))),
        "board of one site": _each(instants, lambda instant: read_board(Moment(instant, site, now=at))),
        "terminal": _each(instants, lambda instant: Moment(instant, now=at).terminal(one)),
        "density of a day": _each(instants, lambda until: count(until, days=1)),
        "density of a month": _each(instants[:20], lambda until: count(until, days=30)),
        "density of the year, from rows": _each([at], lambda until: count(until, days=plan.days)),
        "counts": _counts(plan, at),
        "density of a month, counted": _each(instants[:20], lambda until: count(until, days=30)),
        "density of the year": _each([at] * 20, lambda until: count(until, days=plan.days)),
        "density of the year of one site": _each([at] * 20, lambda until: count(until, days=plan.days, scope=site)),
    }


def count(until: datetime, *, days: float, scope: Scope = EVERYTHING) -> None:
    """As for a slider."""
    density(until - timedelta(days=days), until, buckets=288, scope=scope)


def read_board(moment: Moment) -> None:
    """What an overview shows: totals, sites, incidents, and the first alerts."""
    assert moment.presence_counts
    assert moment.alert_counts is not None
    assert moment.incidents is not None
    moment.alerts([row.pk for row in moment.facts[:SHOWN_ALERTS]])
    assert moment.maintenance_sites is not None


def _each(instants: list[datetime], work: Callable[[datetime], object]) -> dict[str, float]:
    seconds = []
    for instant in instants:
        began = time.perf_counter()
        work(instant)
        seconds.append(time.perf_counter() - began)
    return {"number": len(seconds), **in_ms("elapsed", seconds, worst=True)}


def _snapshots(at: datetime) -> dict[str, float]:
    """Those of the whole history, as after an upgrade."""
    with _timed() as seconds:
        while snapshots.advance(at):
            pass
    number = Snapshot.objects.count()
    return {"number": number, "ms each": seconds[0] / number * 1e3, "MiB": _size(Snapshot._meta.db_table) / 2**20}


def _counts(plan: ReplayPlan, at: datetime) -> dict[str, float]:
    """Those of the whole history, as after an upgrade."""
    with _timed() as seconds:
        while counting.advance(at) == counting.PER_PASS:
            pass
    size = _size(FleetCount._meta.db_table) + _size(SiteCount._meta.db_table)
    return {"number": plan.days, "ms each": seconds[0] / plan.days * 1e3, "MiB": size / 2**20}


@contextmanager
def _timed() -> Iterator[list[float]]:
    seconds: list[float] = []
    began = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - began)


def _size(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [table])
        size: int = cursor.fetchone()[0]
        return size
