"""Several nodes of TMS on all cores, with a stage for their load."""

from contextlib import ExitStack
from typing import Protocol

from benchmarks.running import machine
from benchmarks.running.environment import Environment
from benchmarks.running.plan import Plan
from benchmarks.running.progress import say
from benchmarks.running.stage import Stage
from benchmarks.systems.several import Several


class NodesPlan(Protocol):
    @property
    def processes(self) -> int: ...
    @property
    def dials_at_once(self) -> int: ...
    @property
    def nodes(self) -> int: ...


def nodes_on_all_cores(ending: ExitStack, plan: NodesPlan, *, terminals: int) -> tuple[Environment, Several, Stage]:
    """Prepared for so many terminals; stopped by `ending`."""
    load = Plan(processes=plan.processes, dials_at_once=plan.dials_at_once)
    environment = ending.enter_context(Environment.set_up(load, machine.all_cores()))
    system = ending.enter_context(environment.system(Several))
    system.number = plan.nodes
    say(f"making {terminals:,} terminals")
    system.prepare(terminals)
    return environment, system, ending.enter_context(environment.staged(system))
