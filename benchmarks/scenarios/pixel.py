"""From a terminal's report to the pixel (P5): a fleet at work, many boards open, and one real browser."""

from benchmarks.figure import Measured
from benchmarks.load.orders import Report, Reported, Seen, Watch, Watched
from benchmarks.load.span import Span
from benchmarks.meter import Cost
from benchmarks.quantiles import in_ms, quantile
from benchmarks.stage import Stage

BRIEF = 0.5


def measure(stage: Stage) -> dict[str, Measured]:
    return _measure(stage, stage.plan.pixel_s)


def briefly(stage: Stage) -> dict[str, Measured]:
    return _measure(stage, BRIEF * stage.plan.pixel_s)


def _measure(stage: Stage, seconds: float) -> dict[str, Measured]:
    plan, system = stage.plan, stage.system
    wanted = plan.pixel_fleet / plan.report_every_s
    per_second = system.bearable(wanted, boards=plan.pixel_boards)
    stage.open(system.dialect.board_paths, plan.pixel_boards)
    browser = stage.crew.visit()
    alone = Span.after(0, seconds=plan.alone_s)
    stage.boards(Watch(alone, plan.pixel_change_every_s, plan.patience_s))
    stage.dial(round(plan.pixel_fleet * per_second / wanted))
    span = Span.after(plan.warm_up_s, seconds=seconds)
    watch = Watch(span, plan.pixel_change_every_s, plan.patience_s)
    reported, watched, spent = stage.run(Report(span, per_second / plan.processes), watch)
    shown_at = browser.do(Seen()).shown_at
    pixels = _ages(watched.made_at, shown_at, span)
    details = {
        **in_ms("pixel", pixels, worst=True),
        "never painted": max(0, len(watched.made_at) - len(shown_at)),
        **in_ms("pixel alone", _ages(watched.made_at, shown_at, alone)),
        **_details(reported, watched, spent, span),
    }
    return {
        "P5": Measured(quantile(pixels, 0.5) * 1e3, details),
        "P5 p99": Measured(quantile(pixels, 0.99) * 1e3),
    }


def _ages(made_at: list[float], shown_at: list[float], span: Span) -> list[float]:
    """Of a change that was never painted, until the end of the span and what came of it: it may not look young."""
    ended_at = max(span.end_at, *shown_at, 0.0)
    return [
        (shown_at[number] if number < len(shown_at) else ended_at) - at
        for number, at in enumerate(made_at)
        if at in span
    ]


def _details(reported: Reported, watched: Watched, spent: Cost, span: Span) -> dict[str, float]:
    return {
        **in_ms("socket", watched.ages, worst=True),
        "reports/s": reported.acknowledged / span.seconds,
        **in_ms("ack", reported.latencies),
        **spent.busy(),
        "frames/s": watched.frames / span.seconds,
        "never shown": watched.unseen,
        "lost links": reported.lost_links + watched.lost_boards,
    }
