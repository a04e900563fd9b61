"""A whole fleet is lost at once: the time until a board shows it (P11)."""

import re
import time

from benchmarks.load.client_protocol import board_path
from benchmarks.load.commands import DropLinks, FindPatterns, PatternTimes
from benchmarks.measuring.figure import Count, Measured
from benchmarks.running.environment import Environment
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.systems.seed_tms import SITES
from benchmarks.systems.tms import Tms

BOARDS = 1
MIN_LOST = 3
"""Lost terminals of a site that become an incident, by the default of the correlation rule."""
INCIDENTS = "SELECT count(DISTINCT site_id) FROM alerts_incident WHERE factor = 'site'"
POLL_INTERVAL_S = 0.1


def measure(environment: Environment) -> dict[str, Measured]:
    wait_s = environment.plan.storm_wait_s
    with environment.system(Tms, TMS_OFFLINE_AFTER_S=str(wait_s)) as system:
        say(f"storm: making {environment.plan.fleet:,} terminals")
        system.prepare(environment.plan.fleet)
        system.execute(f"UPDATE alerts_rule SET duration_s = {wait_s} WHERE kind = 'presence'")
        with environment.staged(system) as stage:
            return _measure(stage)


def _measure(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    stage.open([board_path("/")], BOARDS)
    booted = stage.dial(plan.fleet).booted
    time.sleep(plan.settle_s)
    stage.workers.boards.begin(FindPatterns(_all_lost(plan.fleet), time.monotonic() + plan.storm_patience_s))
    began_at, before = time.monotonic(), stage.meter.read()
    stage.terminals(DropLinks())
    broken_at = time.monotonic()
    spotted: PatternTimes = stage.workers.boards.result()
    spent = stage.spent_since(before)
    incidents = _sites_with_an_incident(stage)
    times = [at for of_path in spotted.at.values() for at in of_path]
    shown_at = max(times, default=time.monotonic())  # without any, the end of the wait
    details = {
        "from the loss, s": shown_at - began_at,
        "breaking off took s": broken_at - began_at,
        **spent.split(plan.fleet),
    }
    counts = {
        "terminals connected before": Count(booted, plan.fleet),
        "boards that showed all": Count(len(times), BOARDS),
        "sites with an incident": incidents,
    }
    return {"P11": Measured(shown_at - broken_at - 2 * plan.storm_wait_s, details, counts)}


def _sites_with_an_incident(stage: Stage) -> Count:
    """The sites with an incident, of those that lost enough terminals; the time for the last incident is not part of
    the figure.
    """
    deadline = time.monotonic() + stage.plan.storm_patience_s
    expected = SITES if stage.plan.fleet // SITES >= MIN_LOST else 0
    while (seen := stage.system.count(INCIDENTS)) < expected and time.monotonic() < deadline:
        time.sleep(POLL_INTERVAL_S)
    return Count(seen, expected)


def _all_lost(fleet: int) -> tuple[bytes, ...]:
    """The number of critical alerts on the overview: beside that of incidents, once there are any."""
    number = re.escape(f"{fleet:,}").encode()
    return (rb'id=\\"(?:number-critical\\">' + number + rb'</b>|alerts-critical\\">\(' + number + rb"\)</small>)",)
