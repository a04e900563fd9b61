"""`python -m benchmarks.queries.effects`: what an evaluation of a rollout costs a minute, with 50,000 terminals in it.

A fifth of each site is updated; every terminal has an outage and an alert a day. Each evaluation adds an hour of the
sites whose hour is over: a sixtieth of them.
"""

import argparse
import os
import statistics
import time
from datetime import UTC, datetime, timedelta

import django

from benchmarks.output.report import number, table
from benchmarks.queries.__main__ import SITES, TERMINALS
from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL as SYSTEM_PLAN
from benchmarks.running.progress import say
from benchmarks.systems.system import python
from benchmarks.systems.tms import Unattended

MINUTES = 60
OUTAGES = """
INSERT INTO fleet_outage (terminal_id, began_at, ended_at, cause, lost_by, node, boot_id, seq, has_restarted)
SELECT id, at, at + interval '40 seconds', 'application', 'connection_lost', '', '', 0, id %% 2 = 0
FROM fleet_terminal, generate_series(0, 15) day,
  LATERAL (SELECT %s - day * interval '1 day' + (id * 7919 %% 86400 - 72000) * interval '1 second' AS at) t
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
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
        first, each = measure(datetime.now(UTC).replace(second=0, microsecond=0))
    each.sort()
    rows = [
        ("the first, with the history of all sites", number(first)),
        ("each minute, median", number(statistics.median(each))),
        ("each minute, 95 %", number(each[int(len(each) * 0.95)])),
        ("each minute, slowest", number(each[-1])),
    ]
    print(table((f"evaluation of {terminals:,} terminals", "ms"), rows))


def measure(now: datetime) -> tuple[float, list[float]]:
    """The first evaluation, and those of the minutes after it, in milliseconds."""
    from django.db import connection

    from tms.fleet.models import Terminal
    from tms.rollouts import watching
    from tms.rollouts.effects.measures import MEASURES
    from tms.rollouts.models import Rollout, RolloutItem, Wave
    from tms.rollouts.watching import evaluation

    since, begin = now - timedelta(hours=12), now - timedelta(hours=4)
    rollout = Rollout.objects.create(
        name="Benchmark", starts_at=since, until=now + timedelta(days=9), created_at=since, started_at=since,
        settle_s=0, measures=list(MEASURES), state="running",
    )  # fmt: skip
    wave = Wave.objects.create(rollout=rollout, number=1, kind="share", size=20, started_at=since)
    with connection.cursor() as cursor:
        cursor.execute(OUTAGES, [now])
    updated = {"state": "done", "state_at": begin, "ordered_at": since, "updated_at": begin}
    RolloutItem.objects.bulk_create(
        (
            RolloutItem(rollout=rollout, wave=wave, terminal_id=pk, not_before=since, **({} if pk % 5 else updated))
            for pk in Terminal.objects.values_list("pk", flat=True).iterator()
        ),
        batch_size=2_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    times = []
    for minute in range(MINUTES + 1):
        began = time.perf_counter()
        watching.evaluate(rollout, at=begin + timedelta(hours=2, minutes=minute))
        times.append((time.perf_counter() - began) * 1e3)
        if not minute:
            while evaluation.is_behind(rollout, begin + timedelta(hours=2)):
                watching.evaluate(rollout, at=begin + timedelta(hours=2))
            times[0] = (time.perf_counter() - began) * 1e3
    return times[0], times[1:]


if __name__ == "__main__":
    main()
