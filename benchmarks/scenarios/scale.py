"""The cost of a terminal over the size of its fleet (P8)."""

import time

from benchmarks.load.commands import ConnectionCounts, KeepConnected, ReadConnections
from benchmarks.load.load_workers import run_on_all
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import Cost
from benchmarks.running.environment import Environment
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.systems.several import Several


class Pair(Several):
    """Two processes, because 20,000 terminals are more than the descriptors of one."""

    name = "tms-daphne"


def measure(environment: Environment) -> dict[str, Measured]:
    plan = environment.plan
    with environment.system(Pair) as system:
        system.number = plan.scale_nodes
        say(f"scale: making {plan.scale[-1]:,} terminals")
        system.prepare(plan.scale[-1])
        with environment.staged(system) as stage:
            return _measure(stage)


def _measure(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    time.sleep(plan.scale_settle_s)
    idle, online = _spent(stage), 0
    details, connected = {"no terminals: servers %": idle.busy()["server %"]}, Count(0, 0)
    each: dict[int, float] = {}
    keep = KeepConnected(plan.report_every_s, plan.dials_at_once, stage.workers.terminals[0].source)
    for size in plan.scale:
        online += stage.dial(size - online, skip=online).booted
        if not each:
            for hand in stage.workers.terminals:
                hand.do(KeepConnected(keep.period_s, keep.at_once, hand.source))
        time.sleep(plan.scale_settle_s)
        run_on_all(stage.workers.terminals, ReadConnections())
        spent = _spent(stage)
        connections: list[ConnectionCounts] = run_on_all(stage.workers.terminals, ReadConnections())
        connected += Count(sum(one.online for one in connections), size)
        each[size] = (spent.cpu_s["server"] - idle.cpu_s["server"]) / plan.scale_s / online * 1e6
        details |= {f"{size:,}: {name}": value for name, value in _details(spent, connections, each[size]).items()}
    smallest = each[plan.scale[0]]
    growth = max(cost / smallest - 1 for cost in each.values()) * 100
    return {"P8": Measured(growth, details, {"terminals connected, over all sizes": connected})}


def _spent(stage: Stage) -> Cost:
    return stage.metered(Span.after(0, seconds=stage.plan.scale_s))


def _details(spent: Cost, connections: list[ConnectionCounts], each_us: float) -> dict[str, float]:
    return {
        "µs per terminal and s": each_us,
        "online": sum(one.online for one in connections),
        **spent.busy(),
    }
