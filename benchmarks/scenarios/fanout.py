"""One message to all boards, as often as the server can (P6)."""

from benchmarks.load.commands import Broadcast, BroadcastResult
from benchmarks.load.span import Span
from benchmarks.measuring.figure import Count, Measured
from benchmarks.running.stage import Stage


def measure(stage: Stage) -> dict[str, Measured]:
    plan = stage.plan
    paths = [path._replace(is_timed=False) for path in stage.system.protocol.board_paths]
    stage.open(paths, plan.broadcast_boards)
    span = Span.after(plan.warm_up_s, seconds=plan.measured_s)
    stage.workers.boards.begin(Broadcast(span, plan.broadcast_bytes, plan.broadcast_window))
    spent = stage.metered(span)
    broadcast: BroadcastResult = stage.workers.boards.result()
    details = {"messages": broadcast.sent, **spent.split(broadcast.delivered)}
    boards = Count(plan.broadcast_boards - broadcast.lost_boards, plan.broadcast_boards)
    return {"P6": Measured(broadcast.delivered / span.seconds, details, {"boards": boards})}
