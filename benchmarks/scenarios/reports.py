"""Terminals report while boards are open: as fast as the server can (P2), steadily (P3), gently (P5)."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figure import Measured
from benchmarks.load.orders import Report, Reported, Saturate, Watch, Watched
from benchmarks.load.span import Span
from benchmarks.quantiles import in_ms, quantile
from benchmarks.stage import Stage


@dataclass(frozen=True)
class Performance:
    reported: Reported
    watched: Watched
    details: dict[str, float]


def saturated(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    stage.open_boards()
    done = _perform(stage, lambda span: Saturate(span, plan.window), plan.measured_s)
    return {"P2": Measured(done.reported.acknowledged / plan.measured_s, done.details)}


def steady(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    per_second = min(plan.steady_per_second, stage.system.bearable_per_second)
    stage.open_boards()
    done = _perform(stage, lambda span: Report(span, per_second / plan.processes), plan.measured_s)
    return {"P3": Measured(done.details["server µs"], done.details)}


def watched(stage: Stage) -> dict[str, Measured]:
    """What a board shows is timed at its socket: the browser's own share comes on top."""
    plan = stage.plan
    stage.open_boards()
    alone = _watched_alone(stage)
    per_second = min(plan.watched_per_second, stage.system.bearable_per_second)
    done = _perform(stage, lambda span: Report(span, per_second / plan.processes), plan.watched_s)
    return {"P5": Measured(quantile(done.watched.ages, 0.5) * 1e3, done.details | alone)}


def _watched_alone(stage: Stage) -> dict[str, float]:
    """While no other terminal says anything: what batches and frame intervals cost where nothing needs them."""
    plan = stage.plan
    span = Span.after(0, seconds=plan.measured_s)
    watched = stage.watch(Watch(span, plan.change_every_s, plan.patience_s))
    return in_ms("board alone", watched.ages)


def _perform(stage: Stage, order_for: Callable[[Span], Report | Saturate], seconds: float) -> Performance:
    plan = stage.plan
    stage.dial(plan.reporting)
    before = stage.system.reports()
    span = Span.after(plan.warm_up_s, seconds=seconds)
    watch = Watch(span, plan.change_every_s, plan.patience_s)
    reported, watched, spent = stage.run(order_for(span), watch)
    committed = stage.system.reports() - before
    details = {
        "reports/s": reported.acknowledged / span.seconds,
        **spent.split(reported.acknowledged),
        **in_ms("ack", reported.latencies),
        **in_ms("board", watched.ages, worst=True),
        "never shown": watched.unseen,
        "frames/s": watched.frames / span.seconds,
        "KiB/s": watched.bytes / span.seconds / 1024,
        "unacknowledged": reported.unacknowledged,
        "acknowledged, not committed": max(0, reported.in_all - committed),
        "lost links": reported.lost_links + watched.lost_boards,
    }
    return Performance(reported, watched, details)
