"""Measures the growth of a process."""

from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks.full.fleet import ConnectedFleet
from benchmarks.measuring.run import Run
from benchmarks.running import machine
from benchmarks.running.several_nodes import nodes_on_all_cores
from benchmarks.soak.plan import SoakPlan
from benchmarks.soak.soak import Soak
from benchmarks.systems.tms import Tms


def measure(plan: SoakPlan) -> Run:
    began_at = datetime.now(UTC)
    with ExitStack() as ending:
        environment, system, stage = nodes_on_all_cores(ending, plan, terminals=plan.terminals)
        fleet = ConnectedFleet(stage, report_every_s=plan.report_every_s, dials_at_once=plan.dials_at_once)
        stage.open(system.protocol.board_paths, plan.boards)
        fleet.grow_to(plan.terminals)
        figures = Soak(plan, system, stage, fleet).measure()
        about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    return Run(began_at.isoformat(timespec="seconds"), took_s, about, plan, {Tms.name: figures})
