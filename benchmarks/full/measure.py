"""Measures the curve over fleet size, and the large fleet that is held (P9)."""

from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks.full import memory
from benchmarks.full.climb import Climb
from benchmarks.full.fleet import ConnectedFleet
from benchmarks.full.hold import Hold
from benchmarks.full.plan import FullPlan
from benchmarks.full.point import Gauge
from benchmarks.measuring.figure import Measured
from benchmarks.measuring.run import Run
from benchmarks.running import machine
from benchmarks.running.several_nodes import nodes_on_all_cores
from benchmarks.running.stage import Stage
from benchmarks.systems.several import Several
from benchmarks.systems.tms import Tms


def measure(plan: FullPlan) -> Run:
    began_at = datetime.now(UTC)
    with ExitStack() as ending:
        environment, system, stage = nodes_on_all_cores(ending, plan, terminals=plan.most)
        figures, climb, end = _measure(plan, system, stage)
        about = machine.describe(database_url=environment.database.url, redis_url=environment.broker.url)
    took_s = (datetime.now(UTC) - began_at).total_seconds()
    began = began_at.isoformat(timespec="seconds")
    return Run(began, took_s, about, plan, {Tms.name: figures}, curve=climb.curve, notes=[end])


def _measure(plan: FullPlan, system: Several, stage: Stage) -> tuple[dict[str, Measured], Climb, str]:
    fleet = ConnectedFleet(stage, report_every_s=plan.report_every_s, dials_at_once=plan.returns_at_once)
    gauge = Gauge(stage, fleet, change_every_s=plan.change_every_s, patience_s=plan.patience_s)
    gauge.kernel_before = memory.kernel()
    # On processes that are not killed: otherwise the delay would depend on the reconnects of the browser.
    safe = tuple(node.port for node in system.nodes[:-2])
    stage.open(system.protocol.board_paths, plan.boards, ports=safe)
    climb = Climb(plan, system, fleet, gauge)
    climb.up_to_the_fleet()
    figures = Hold(plan, system, fleet, gauge).measure()
    return figures, climb, climb.further()
