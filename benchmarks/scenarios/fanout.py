"""One message to all boards, as often as the server can (P6)."""

from benchmarks.figure import Measured
from benchmarks.load.orders import Herald, Heralded
from benchmarks.load.span import Span
from benchmarks.stage import Stage


def measure(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    paths = [path._replace(is_timed=False) for path in stage.system.protocol.board_paths]
    stage.open(paths, plan.heralded_boards)
    span = Span.after(plan.warm_up_s, seconds=plan.measured_s)
    stage.workers.boards.begin(Herald(span, plan.heralded_bytes, plan.heralded_window))
    spent = stage.metered(span)
    heralded: Heralded = stage.workers.boards.result()
    details = {"messages": heralded.sent, **spent.split(heralded.delivered)}
    return {"P6": Measured(heralded.delivered / span.seconds, details)}
