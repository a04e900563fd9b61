"""`manage.py clock` runs the clock of TMS."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from tms.clock.scheduler import Clock
from tms.lib.management import NoChecksCommand
from tms.ops.checks import refuse_unsafe
from tms.ops.cloudwatch import bridge
from tms.ops.health import checks
from tms.ops.health.monitor import Monitor, MonitorCannotListen
from tms.ops.slo.recorder import SloRecorder
from tms.runtime import process_state
from tms.server import Flow
from tms.server.memory import tune_gc, tune_malloc

TURN_EVERY_S = 1.0


class Command(NoChecksCommand):
    help = "Runs the scheduled jobs. Start one on each host: one is the leader, another takes over when it ends."
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help="port for /health/ and /metrics (default: none)")

    def handle(self, *args: object, host: str, port: int | None, **options: object) -> None:
        tune_malloc()
        refuse_unsafe()
        with run_monitor(host=host, port=port):
            asyncio.run(run())


@contextlib.contextmanager
def run_monitor(*, host: str, port: int | None) -> Iterator[None]:
    if port is None:
        yield
        return
    try:
        monitor = Monitor(host=host, port=port)
    except MonitorCannotListen as error:
        raise CommandError(str(error)) from None
    monitor.start()
    try:
        yield
    finally:
        monitor.stop()


async def run() -> None:
    tune_gc(Flow())
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    clock = Clock()
    slo_recorder = SloRecorder()
    to_cloudwatch = bridge.create_bridge(serves=False)
    turns, database_watch = checks.LoopTurns(), checks.DatabaseWatch()
    turning = asyncio.create_task(turn(turns))
    checks.watch_loop(turns)
    process_state.start_clock()
    database_watch.start()
    clock.start()
    slo_recorder.start()
    if to_cloudwatch:
        to_cloudwatch.start()
    with contextlib.suppress(asyncio.CancelledError):
        await stopping.wait()
    turning.cancel()
    database_watch.stop()
    await clock.stop()
    await process_state.stop_feed()
    await asyncio.to_thread(slo_recorder.stop)
    if to_cloudwatch:
        await asyncio.to_thread(to_cloudwatch.stop)


async def turn(turns: checks.LoopTurns) -> None:
    """Report to `/health/`, which a thread serves, that the event loop is running."""
    while True:
        turns.note_turn()
        await asyncio.sleep(TURN_EVERY_S)
