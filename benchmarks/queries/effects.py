"""`python -m benchmarks.queries.effects`: what an evaluation of a rollout costs a minute, with 50,000 terminals in it.

A fifth of each site is updated; every terminal has an outage a day, an alert every fourth day, and readings. Each
evaluation adds an hour of the sites whose hour is over: a sixtieth of them. In three hours every site has a window of
readings, and the wave becomes one that was watched enough.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import django

from benchmarks.measuring.meter import Cost, Meter, cost
from benchmarks.measuring.quantiles import quantile
from benchmarks.output.report import number, table
from benchmarks.queries.__main__ import SITES, TERMINALS
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

MINUTES = 180
UPDATED = 0.2
WATCHED = timedelta(hours=2)
"""How long the wave has been watched at the first evaluation."""
OUTAGES = """
INSERT INTO fleet_outage (terminal_id, began_at, ended_at, cause, lost_by, node, boot_id, seq, has_restarted)
SELECT id, at, at + interval '40 seconds', 'application', 'connection_lost', '', '', 0, id %% 2 = 0
FROM fleet_terminal, generate_series(0, 15) day,
  LATERAL (SELECT %s - day * interval '1 day' + (id * 7919 %% 86400 - 72000) * interval '1 second' AS at) t
"""
ALERTS = """
INSERT INTO alerts_alert (rule_id, terminal_id, severity, state, opened_at, resolved_at, comment, is_separate)
SELECT (SELECT min(id) FROM alerts_rule WHERE kind = 'metric'), id, 'warning', 'resolved', at, at, '', false
FROM fleet_terminal, generate_series(0, 15) day,
  LATERAL (SELECT %s - day * interval '1 day' + (id * 104729 %% 86400 - 72000) * interval '1 second' AS at) t
WHERE (id + day) %% 4 = 0
"""
READINGS = """
INSERT INTO telemetry_rollup (terminal_id, hour, metric, count, total, lowest, highest, last)
SELECT id, hour, metric, 1, 40 + id * 31 %% 97 + extract(hour FROM hour) * (id %% 13) / 13, 0, 0, 0
FROM fleet_terminal, unnest(ARRAY['memory_pct', 'temperature_c', 'response_ms']) metric,
  generate_series(date_trunc('hour', %s) - interval '9 hours', %s, interval '1 hour') hour
WHERE extract(hour FROM hour AT TIME ZONE 'UTC')::int %% 3 = 2
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries.effects", description=__doc__)
    parser.add_argument("--terminals", type=int, default=TERMINALS)
    parser.add_argument("--tiny", action="store_true", help="whether it works, not what it measures")
    options = parser.parse_args()
    terminals, sites = (500, 5) if options.tiny else (options.terminals, SITES)
    with (
        Environment.set_up(SYSTEM_PLAN, machine.all_cores()) as environment,
        environment.system(Unattended) as system,
    ):
        say(f"a fleet of {terminals:,} terminals")
        system.prepare_with(python("-m", "benchmarks.fixture_fleet", str(terminals), "--sites", str(sites)))
        os.environ |= system.env | {"DJANGO_SETTINGS_MODULE": "tms.config.settings"}
        django.setup()
        begin = datetime.now(UTC).replace(second=0, microsecond=0) - 2 * WATCHED
        rollout = fill(begin)
        meter = Meter({"process": [os.getpid()], "PostgreSQL": [environment.database.pid]})
        show(terminals, *measure(rollout, begin + WATCHED, meter))


def show(terminals: int, first: float, each: list[float], spent: Cost) -> None:
    rows = [
        ("the first, with the history of all sites", number(first)),
        ("each minute, median", number(statistics.median(each))),
        ("each minute, 95 %", number(quantile(each, 0.95))),
        ("each minute, slowest", number(max(each))),
        *((f"each minute, CPU of {name}", number(cpu_s / len(each) * 1e3)) for name, cpu_s in spent.cpu_s.items()),
    ]
    print(table((f"evaluation of {terminals:,} terminals", "ms"), rows))
    load, others = os.getloadavg()[0], spent.busy()["others %"]
    print(f"\nload of the machine {load:.1f}, other processes {others:.0f} % of a core")


def fill(begin: datetime) -> Any:
    """The history of the terminals, and a rollout to all of them. A fifth of each site is updated at `begin`."""
    from django.db import connection

    with connection.cursor() as cursor:
        end = begin + timedelta(hours=6)
        for sql, times in ((OUTAGES, [end]), (ALERTS, [end]), (READINGS, [begin, end])):
            cursor.execute(sql, times)
    rollout = make_rollout(begin)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return rollout


def make_rollout(begin: datetime) -> Any:
    from tms.accounts.models import User
    from tms.fleet.models import Terminal
    from tms.rollouts.effects.measures import MEASURES
    from tms.rollouts.models import Rollout, RolloutItem, Wave

    since = begin - timedelta(hours=8)
    rollout = Rollout.objects.create(
        name="Benchmark", starts_at=since, until=begin + timedelta(days=9), created_at=since, started_at=since,
        settle_s=0, measures=list(MEASURES), state="running", started_by=User.objects.get(username="watcher"),
    )  # fmt: skip
    rest = Wave.objects.create(rollout=rollout, number=2, kind="rest")
    wave = Wave.objects.create(
        rollout=rollout, number=1, kind="share", size=20, watch_hours=4, state="watched",
        started_at=since, installed_at=begin, watched_until=begin + timedelta(hours=4),
    )  # fmt: skip
    updated = {"wave": wave, "state": "done", "state_at": begin, "ordered_at": since, "updated_at": begin}
    shares = Random(1)
    RolloutItem.objects.bulk_create(
        (
            RolloutItem(rollout=rollout, terminal_id=pk, not_before=since, **found)
            for pk in Terminal.objects.order_by("pk").values_list("pk", flat=True).iterator()
            for found in [updated if shares.random() < UPDATED else {"wave": rest}]
        ),
        batch_size=2_000,
    )
    return rollout


def measure(rollout: Any, at: datetime, meter: Meter) -> tuple[float, list[float], Cost]:
    """The milliseconds of the first evaluation and of each in the minutes after it, and what these cost."""
    from tms.rollouts import watching

    first = timed(lambda: catch_up(rollout, at))
    before = meter.read()
    minutes = (at + timedelta(minutes=minute) for minute in range(1, MINUTES + 1))
    each = [timed(lambda: watching.evaluate(rollout, at=minute)) for minute in minutes]  # noqa: B023 (called at once)
    return first, each, cost(before, meter.read())


def catch_up(rollout: Any, at: datetime) -> None:
    """The first evaluation, with all that were due before."""
    from tms.rollouts import watching
    from tms.rollouts.watching import evaluation

    watching.evaluate(rollout, at=at)
    while evaluation.is_behind(rollout, at):
        watching.evaluate(rollout, at=at)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
