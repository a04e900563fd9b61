"""The time from a terminal's report to the pixel (P5): a fleet in operation, many boards open, and one real browser."""

import math
import time

from benchmarks.load.commands import ChangeTimes, PaintTimes, ReadPaints, Report, Reported, TimeChanges
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import Cost
from benchmarks.measuring.quantiles import in_ms, quantile
from benchmarks.running.stage import Stage
from benchmarks.scenarios.reports import count_acknowledged, count_boards, count_terminals

BRIEF = 0.5
NEVER = math.inf


def measure(stage: Stage) -> dict[str, Measured]:
    return _measure(stage, stage.plan.pixel_s)


def briefly(stage: Stage) -> dict[str, Measured]:
    return _measure(stage, BRIEF * stage.plan.pixel_s)


def _measure(stage: Stage, seconds: float) -> dict[str, Measured]:
    plan, system = stage.plan, stage.system
    wanted = plan.pixel_fleet / plan.report_every_s
    per_second = system.bearable(wanted, boards=plan.pixel_boards)
    stage.open(system.protocol.board_paths, plan.pixel_boards)
    browser = stage.workers.visit()
    alone = Span.after(0, seconds=plan.alone_s)
    stage.boards(TimeChanges(alone, plan.pixel_change_every_s, plan.patience_s))
    terminals = round(plan.pixel_fleet * per_second / wanted)
    booted = stage.dial(terminals).booted
    span = Span.after(plan.warm_up_s, seconds=seconds)
    watch = TimeChanges(span, plan.pixel_change_every_s, plan.patience_s)
    reported, watched, spent = stage.run(Report(span, per_second / plan.processes), watch)
    painted = browser.do(ReadPaints(len(watched.made_at) - 1, time.monotonic() + plan.patience_s))
    shown_at, ended_at = _shown_at(watched.made_at, painted), time.monotonic()
    pixels = _ages(watched.made_at, shown_at, span, ended_at=ended_at)
    details = {
        **in_ms("pixel", pixels, worst=True),
        **in_ms("pixel alone", _ages(watched.made_at, shown_at, alone, ended_at=ended_at)),
        **_details(reported, watched, spent, span),
    }
    counts = {
        "changes painted": Count(len(shown_at) - shown_at.count(NEVER), len(shown_at)),
        **count_boards(watched, plan.pixel_boards),
        **count_terminals(booted, reported, terminals),
        **count_acknowledged(reported),
    }
    return {
        "P5": Measured(quantile(pixels, 0.5) * 1e3, details, counts),
        "P5 p99": Measured(quantile(pixels, 0.99) * 1e3, counts=counts),
    }


def _shown_at(made_at: list[float], painted: PaintTimes) -> list[float]:
    """When the browser first showed each change, or a newer one; NEVER if it did not."""
    return [
        next((at for shown, at in painted.shown if shown >= number and at >= made), NEVER)
        for number, made in enumerate(made_at)
    ]


def _ages(made_at: list[float], shown_at: list[float], span: Span, *, ended_at: float) -> list[float]:
    """A change that was never painted gets the time until the end of the wait, so that it does not look fast."""
    return [min(shown, ended_at) - made for made, shown in zip(made_at, shown_at, strict=True) if made in span]


def _details(reported: Reported, watched: ChangeTimes, spent: Cost, span: Span) -> dict[str, float]:
    return {
        **in_ms("socket", watched.ages, worst=True),
        "reports/s": reported.acknowledged / span.seconds,
        **in_ms("ack", reported.latencies),
        **spent.busy(),
        "frames/s": watched.frames / span.seconds,
    }
