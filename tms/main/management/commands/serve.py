"""`manage.py serve` runs a node: pages, the REST API, boards and links of terminals."""

import asyncio

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

import asgi
import tms.main.urls  # noqa: F401  (otherwise the first request would import them, while terminals connect)
from tms import server
from tms.clock import presence_sweep, scheduler
from tms.fleet.nodes.membership import NodeNameTaken
from tms.ingest.gateway import gateway
from tms.lib.db.clock import db_clock
from tms.lib.management import NoChecksCommand
from tms.ops.checks import refuse_unsafe
from tms.ops.cloudwatch import bridge
from tms.ops.collectors import fleet
from tms.ops.health import checks
from tms.ops.health.node_heartbeat import NodeHeartbeat
from tms.ops.slo.recorder import SloRecorder
from tms.protocol.close_codes import CloseCode
from tms.runtime import process_state
from tms.server.asgi import Scope
from tms.server.memory import tune_malloc
from tms.server.server import Server

log = structlog.get_logger(__name__)


class Command(NoChecksCommand):
    help = "Serves terminals and boards in one process. Run several behind nginx, and `clock` beside them."
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--clock", action="store_true", help="also run the clock in this process (embedded default)"
        )

    def handle(self, *args: object, host: str, port: int, clock: bool, **options: object) -> None:
        tune_malloc()
        refuse_unsafe()
        process = Process(with_clock=clock)
        try:
            server_for(process, host=host, port=port).run()
        except server.PortInUse as error:
            raise CommandError(f"port {error.port} on {error.host} is in use; choose another with --port") from None
        except server.CannotListen as error:
            raise CommandError(str(error)) from None


class Process:
    """What runs beside the sockets in this process."""

    def __init__(self, *, with_clock: bool) -> None:
        self.clock = scheduler.Clock() if with_clock else None
        self.node_heartbeat = NodeHeartbeat(settings.NODE, links=lambda: len(gateway().links.by_terminal))
        self.bridge = bridge.create_bridge(serves=True)
        self.slo_recorder = SloRecorder()
        self.database_watch = checks.DatabaseWatch()

    async def start(self) -> None:
        orphaned = await database_sync_to_async(self.join)()
        process_state.start_links()
        checks.add_check("ingest", lambda at: gateway().batch.problem or checks.OK)
        self.database_watch.start()
        if self.clock:
            self.clock.start()
        self.slo_recorder.start()
        if self.bridge:
            self.bridge.start()
        log.info("serving", node=settings.NODE, with_clock=self.clock is not None, orphaned=orphaned)

    def join(self) -> int:
        """Claim this node's name, and the terminals of its former process. Raises CommandError if the name is taken."""
        try:
            last_heartbeat_at = self.node_heartbeat.start()
        except NodeNameTaken as error:
            raise CommandError(str(error)) from None
        checks.watch(self.node_heartbeat)
        return presence_sweep.orphan(node(), db_clock().now(), since=last_heartbeat_at)

    async def drain(self, _server: object) -> None:
        """Runs before the sockets are closed."""
        await database_sync_to_async(self.node_heartbeat.drain)()
        await gateway().announce_drain()

    async def stop(self) -> None:
        """Runs after the sockets were closed: commit what is left, and notify the others."""
        self.database_watch.stop()
        await gateway().stop()
        if self.clock:
            await self.clock.stop()
        await database_sync_to_async(self.node_heartbeat.stop)()
        await process_state.stop_feed()
        await asyncio.to_thread(self.slo_recorder.stop)
        if self.bridge:
            await asyncio.to_thread(self.bridge.stop)


def server_for(process: Process, *, host: str, port: int) -> Server:
    made = Server(
        asgi.application,
        host=host,
        port=port,
        flow=flow(),
        on_ready=process.start,
        on_drain=process.drain,
        on_stop=process.stop,
        drain_code=drain_code,
    )
    fleet.watch(made)
    checks.watch_server(made)
    return made


def flow() -> server.Flow:
    return server.Flow(
        max_unwritten=settings.OUTPUT_BYTES,
        max_blocked=settings.OUTPUT_BLOCKED_S,
        kernel_sndbuf=settings.SEND_BUFFER_BYTES,
        queue_high=settings.INPUT_MESSAGES,
        queue_low=settings.INPUT_MESSAGES // 4,
        ping_interval=settings.PING_INTERVAL_S,
        ping_timeout=settings.PING_TIMEOUT_S,
        request_timeout=settings.REQUEST_TIMEOUT_S,
        keep_alive=settings.KEEP_ALIVE_S,
        handshake_timeout=settings.HANDSHAKE_TIMEOUT_S,
        close_timeout=settings.CLOSE_TIMEOUT_S,
        linger=settings.LINGER_S,
        max_connections=settings.MAX_CONNECTIONS or None,
        spare_connections=settings.SPARE_CONNECTIONS,
        spare_descriptors=settings.SPARE_DESCRIPTORS,
        max_handshakes=settings.MAX_HANDSHAKES,
        backlog=settings.BACKLOG,
        retry_after=settings.RETRY_AFTER_S,
        hook_timeout=settings.HOOK_TIMEOUT_S,
        drain_spread=settings.DRAIN_SPREAD_S,
        exit_timeout=settings.EXIT_TIMEOUT_S,
    )


def drain_code(scope: Scope) -> int:
    return CloseCode.DRAINING


def node() -> str | None:
    """The node whose links are lost when this process starts: its own, or all if there is only one process."""
    return settings.NODE if settings.REDIS_URL else None
