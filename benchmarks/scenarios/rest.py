"""Terminals are connected and boards are open, but nothing happens (P3 rest)."""

from benchmarks.load.commands import CountFrames, FrameCounts
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.running.stage import Stage
from benchmarks.scenarios.reports import count_connected


def measure(stage: Stage) -> dict[str, Measured]:
    """The share of a core in per cent. No terminal is silent long enough to become unresponsive."""
    plan = stage.plan
    stage.open(stage.system.protocol.board_paths, plan.boards)
    booted = stage.dial(plan.reporting).booted
    span = Span.after(plan.settle_s, seconds=plan.measured_s)
    stage.workers.boards.begin(CountFrames(span))
    spent = stage.metered(span).busy()
    received: FrameCounts = stage.workers.boards.result()
    boards = count_connected(received.lost_boards, plan.boards) if stage.system.has_boards() else {}
    counts = {"terminals booted": Count(booted, plan.reporting), **boards}
    return {"P3 rest": Measured(spent["server %"], dict(spent), counts)}
