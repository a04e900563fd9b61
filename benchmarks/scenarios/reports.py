"""Terminals report while boards are open: as fast as the server can (P2), and steadily (P3, P14)."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.load.commands import ChangeTimes, Report, Reported, Saturate, TimeChanges
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import Cost
from benchmarks.measuring.quantiles import in_ms
from benchmarks.running.stage import Stage


@dataclass(frozen=True)
class Performance:
    """The performance of a system while terminals report."""

    details: dict[str, float]
    counts: dict[str, Count]
    acknowledged: dict[str, Count]
    """Acknowledgements at the end; what a saturated server still has to do then says nothing about its rate."""
    shown: dict[str, Count]
    """Changes that the boards showed."""


def saturated(stage: Stage) -> dict[str, Measured]:
    seen = perform(stage, lambda span: Saturate(span, stage.plan.window))
    measured = {"P2": Measured(seen.details["reports/s"], seen.details, seen.counts)}
    if stage.system.has_boards():
        measured["P2 boards"] = Measured(seen.details["board max ms"] / 1e3, counts=seen.shown)
    return measured


def steady(stage: Stage) -> dict[str, Measured]:
    return _open_loop(stage, stage.plan.steady_per_second, "")


def light(stage: Stage) -> dict[str, Measured]:
    return _open_loop(stage, stage.plan.light_per_second, " light")


def _open_loop(stage: Stage, per_second: float, rate: str) -> dict[str, Measured]:
    plan = stage.plan
    bearable = stage.system.bearable(per_second, boards=plan.boards)
    seen = perform(stage, lambda span: Report(span, bearable / plan.processes))
    counts = seen.counts | seen.acknowledged
    return {
        f"P3{rate}": Measured(seen.details["server µs"], seen.details, counts | seen.shown),
        f"P14{rate}": Measured(seen.details["ack p50 ms"], counts=counts),
        f"P14{rate} p99": Measured(seen.details["ack p99 ms"], counts=counts),
    }


def perform(stage: Stage, order_for: Callable[[Span], Report | Saturate]) -> Performance:
    plan = stage.plan
    stage.open(stage.system.protocol.board_paths, plan.boards)
    booted = stage.dial(plan.reporting).booted
    before = stage.system.reports()
    span = Span.after(plan.warm_up_s, seconds=plan.measured_s)
    watch = TimeChanges(span, plan.change_every_s, plan.patience_s)
    reported, watched, spent = stage.run(order_for(span), watch)
    committed = stage.system.reports() - before
    return Performance(
        _details(stage, reported, watched, spent, span),
        {
            **count_terminals(booted, reported, plan.reporting),
            "acknowledged reports committed": count_committed(reported.in_all + watched.acknowledged, committed),
        },
        count_acknowledged(reported),
        count_boards(watched, plan.boards) if stage.system.has_boards() else {},
    )


def count_terminals(booted: int, reported: Reported, wanted: int) -> dict[str, Count]:
    return {"terminals connected": Count(booted - reported.lost_links, wanted)}


def count_acknowledged(reported: Reported) -> dict[str, Count]:
    return {"reports acknowledged": Count(reported.in_all, reported.in_all + reported.unacknowledged)}


def count_committed(acknowledged: int, committed: int) -> Count:
    """How many of the acknowledged reports are committed. Both numbers include the reports of the probe."""
    return Count(min(acknowledged, committed), acknowledged)


def count_connected(lost_boards: int, boards: int) -> dict[str, Count]:
    return {"boards connected": Count(boards - lost_boards, boards)}


def count_boards(watched: ChangeTimes, boards: int) -> dict[str, Count]:
    shown = Count(len(watched.ages) - watched.unseen, len(watched.ages))
    return count_connected(watched.lost_boards, boards) | {"changes shown": shown}


def _details(stage: Stage, reported: Reported, watched: ChangeTimes, spent: Cost, span: Span) -> dict[str, float]:
    return {
        "reports/s": reported.acknowledged / span.seconds,
        **spent.split(reported.acknowledged),
        **in_ms("ack", reported.latencies),
        **(_of_boards(watched, span) if stage.system.has_boards() else {}),
    }


def _of_boards(watched: ChangeTimes, span: Span) -> dict[str, float]:
    return {
        **in_ms("board", watched.ages, worst=True),
        "frames/s": watched.frames / span.seconds,
        "KiB/s": watched.bytes / span.seconds / 1024,
    }
