"""Terminals report while boards are open: as fast as the server can (P2), and steadily (P3, P14)."""

from collections.abc import Callable

from benchmarks.load.commands import ChangeTimes, Report, Saturate, TimeChanges
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Measured
from benchmarks.measuring.quantiles import in_ms
from benchmarks.running.stage import Stage


def saturated(stage: Stage) -> dict[str, Measured]:
    details = perform(stage, lambda span: Saturate(span, stage.plan.window))
    measured = {"P2": Measured(details["reports/s"], details)}
    if stage.system.has_boards():
        measured["P2 boards"] = Measured(details["board max ms"] / 1e3)
    return measured


def steady(stage: Stage) -> dict[str, Measured]:
    return _open_loop(stage, stage.plan.steady_per_second, "")


def light(stage: Stage) -> dict[str, Measured]:
    return _open_loop(stage, stage.plan.light_per_second, " light")


def _open_loop(stage: Stage, per_second: float, rate: str) -> dict[str, Measured]:
    plan = stage.plan
    bearable = stage.system.bearable(per_second, boards=plan.boards)
    details = perform(stage, lambda span: Report(span, bearable / plan.processes))
    return {
        f"P3{rate}": Measured(details["server µs"], details),
        f"P14{rate}": Measured(details["ack p50 ms"]),
        f"P14{rate} p99": Measured(details["ack p99 ms"]),
    }


def perform(stage: Stage, order_for: Callable[[Span], Report | Saturate]) -> dict[str, float]:
    plan = stage.plan
    stage.open(stage.system.protocol.board_paths, plan.boards)
    stage.dial(plan.reporting)
    before = stage.system.reports()
    span = Span.after(plan.warm_up_s, seconds=plan.measured_s)
    watch = TimeChanges(span, plan.change_every_s, plan.patience_s)
    reported, watched, spent = stage.run(order_for(span), watch)
    committed = stage.system.reports() - before
    return {
        "reports/s": reported.acknowledged / span.seconds,
        **spent.split(reported.acknowledged),
        **in_ms("ack", reported.latencies),
        **(_of_boards(watched, span) if stage.system.has_boards() else {}),
        "unacknowledged": reported.unacknowledged,
        "acknowledged, not committed": max(0, reported.in_all - committed),
        "lost links": reported.lost_links + watched.lost_boards,
    }


def _of_boards(watched: ChangeTimes, span: Span) -> dict[str, float]:
    return {
        **in_ms("board", watched.ages, worst=True),
        "never shown": watched.unseen,
        "frames/s": watched.frames / span.seconds,
        "KiB/s": watched.bytes / span.seconds / 1024,
    }
