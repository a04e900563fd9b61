"""Boards with many open alerts: their traffic (P12)."""

from benchmarks.load.client_protocol import board_path
from benchmarks.load.commands import Alternate, CountFrames, FrameCounts, Reported, RunLow
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import Cost
from benchmarks.running.stage import Stage, summed
from benchmarks.scenarios.reports import count_acknowledged, count_connected

PAGES = {board_path("/").path: "overview", board_path("/alerts/").path: "alerts"}
MINUTE_S = 60


def measure(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    booted = stage.dial(plan.alerts).booted
    opened = summed(stage.terminals(RunLow()))
    without = _spent(stage, _waver(stage))
    stage.open([board_path("/"), board_path("/alerts/")], plan.boards)
    quiet, _ = _received(stage, Span.after(plan.settle_s, seconds=plan.quiet_s))
    stage.terminals(RunLow())  # only so that they stay connected: silent ones would be changes
    span = _waver(stage)
    busy, spent = _received(stage, span)
    changed: Reported = stage.workers.terminals[0].result()
    terminals = {"terminals with an alert": Count(min(booted, opened.in_all), plan.alerts)}
    changes = terminals | count_acknowledged(changed)
    cpu_s = (spent.cpu_s["server"] - without.cpu_s["server"]) / span.seconds * MINUTE_S
    details = {
        "of the whole server, s a minute": spent.cpu_s["server"] / span.seconds * MINUTE_S,
        "and without boards": without.cpu_s["server"] / span.seconds * MINUTE_S,
        **spent.busy(),
    }
    return {
        "P12 quiet": _sent(quiet, plan.quiet_s, terminals | count_connected(quiet.lost_boards, plan.boards)),
        "P12 busy": _sent(busy, span.seconds, changes | count_connected(busy.lost_boards, plan.boards)),
        "P12 CPU": Measured(cpu_s, details, changes | count_connected(busy.lost_boards, plan.boards)),
    }


def _waver(stage: Stage) -> Span:
    """Open or resolve an alert each second, from one process."""
    span = Span.after(stage.plan.settle_s, seconds=stage.plan.quiet_s)
    stage.workers.terminals[0].begin(Alternate(span, 1.0))
    return span


def _spent(stage: Stage, span: Span) -> Cost:
    spent = stage.metered(span)
    stage.workers.terminals[0].result()
    return spent


def _received(stage: Stage, span: Span) -> tuple[FrameCounts, Cost]:
    stage.workers.boards.begin(CountFrames(span))
    spent = stage.metered(span)
    received: FrameCounts = stage.workers.boards.result()
    return received, spent


def _sent(received: FrameCounts, seconds: float, counts: dict[str, Count]) -> Measured:
    """KB a minute to the kind of board that gets most."""
    kilobytes = {
        name: received.bytes[path] / received.boards[path] / seconds * MINUTE_S / 1e3
        for path, name in PAGES.items()
        if received.boards.get(path)
    }
    frames = {
        f"{name}: frames a minute": received.frames[path] / received.boards[path] / seconds * MINUTE_S
        for path, name in PAGES.items()
        if received.boards.get(path)
    }
    details = {f"{name}: KB a minute": kb for name, kb in kilobytes.items()} | frames
    return Measured(max(kilobytes.values()), details, counts)
