"""Terminals are connected and boards are open, but nothing happens (P3 rest)."""

from benchmarks.load.span import Span
from benchmarks.measuring.figure import Measured
from benchmarks.running.stage import Stage


def measure(stage: Stage) -> dict[str, Measured]:
    """Per cent of a core. No terminal is silent long enough to become unresponsive."""
    plan = stage.plan
    stage.open(stage.system.protocol.board_paths, plan.boards)
    stage.dial(plan.reporting)
    spent = stage.metered(Span.after(plan.settle_s, seconds=plan.measured_s)).busy()
    return {"P3 rest": Measured(spent["server %"], dict(spent))}
