"""The health report: liveness of this process, and readiness of the parts it needs. A failing check names the problem.

No request waits for the database: a thread polls it, and `/health/` reports the last result.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

from tms.feed.hub import hub
from tms.lib.db.clock import db_clock
from tms.lib.hashing import hash_token
from tms.ops.health import heartbeats
from tms.ops.health.loop_ages import stalled
from tms.ops.health.node_heartbeat import NodeHeartbeat
from tms.ops.models import LoopSuccess

log = structlog.get_logger(__name__)

OK = "ok"

CHECK_EVERY_S = 3.0
CHECK_AGAIN_S = 0.5
"""The interval of checks while a part has a problem."""
NO_ANSWER_AFTER_S = 7.0
"""A check that takes longer counts as failed, so that a problem shows within 10 s."""
STATEMENT_TIMEOUT_MS = 5_000
LOOP_STUCK_AFTER_S = 10.0

type Parts = dict[str, str]


class Serving(Protocol):
    """What the liveness check needs of a server."""

    draining: bool
    is_ready: bool


class LoopTurns:
    """When the event loop of a process without a server last ran."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._turned_at = monotonic()

    def note_turn(self) -> None:
        self._turned_at = self._monotonic()

    @property
    def is_stuck(self) -> bool:
        return self._monotonic() - self._turned_at > LOOP_STUCK_AFTER_S


# Liveness


def is_live() -> bool:
    """Whether this process works, regardless of the database, Redis and other processes."""
    serves = all(server.is_ready and not server.draining for server in _servers[-1:])
    return serves and not any(turns.is_stuck for turns in _turns[-1:])


# Readiness


def report(*, at: datetime | None = None) -> Mapping[str, str]:
    """The state of each part by name: `ok`, or the problem."""
    at = at or db_clock().now()
    parts = _watches[-1].parts() if _watches else database_parts(at)
    return parts | {name: check(at) for name, check in (CHECKS | _added).items()}


def is_ok(parts: Mapping[str, str]) -> bool:
    return all(state == OK for state in parts.values())


def answer(*, strict: bool) -> tuple[int, dict[str, object]]:
    """Status and body of `/health/`. `strict`: 503 also if a part has a problem."""
    parts, live = report(), is_live()
    is_everything_ok = live and is_ok(parts)
    is_available = is_everything_ok if strict else live
    body = {"live": live, "healthy": is_everything_ok, "node": settings.NODE, "checks": dict(parts)}
    return (200 if is_available else 503), body


def database_parts(at: datetime) -> Parts:
    """Checks that need the database. Blocks."""
    return {"database": database(at), "clock": clock(at), "loops": loops(at)}


def database(at: datetime) -> str:
    try:
        write_something(at)
    except (DatabaseError, InterfaceError) as error:
        return f"{problem(error)}: {type(error).__name__}"
    return OK


def write_something(at: datetime) -> None:
    """Writes a row, and on PostgreSQL half a megabyte of temporary file: a full disk may have room for the row."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
            cursor.execute("SET LOCAL work_mem = '64kB'")
            cursor.execute("SELECT count(*) FROM generate_series(1, 20000)")
        heartbeats.record(f"{heartbeats.WRITE}{hash_token(settings.NODE)[:16]}", at=at)


def problem(error: Exception) -> str:
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state == "25006":
        return "read-only"
    return "disk full" if state == "53100" else "no response"


def clock(at: datetime) -> str:
    try:
        late = heartbeats.late_by(heartbeats.CLOCK, at=at)
    except (DatabaseError, InterfaceError) as error:
        return f"unknown: {type(error).__name__}"
    if late is None:
        return "never ran; start it with `manage.py clock`"
    return OK if late < heartbeats.HEARTBEAT_LATE_AFTER else f"last ran {late.total_seconds():.0f} s ago"


def loops(at: datetime) -> str:
    try:
        return "; ".join(stalled(list(LoopSuccess.objects.all()), at)) or OK
    except (DatabaseError, InterfaceError) as error:
        return f"unknown: {type(error).__name__}"


def feed(at: datetime) -> str:
    if not hub().is_started:
        return OK  # without a socket this process has not needed the feed yet
    if not hub().subscribed:
        return "not subscribed"
    return OK if hub().is_live else f"no message for {hub().behind_s:.0f} s"


def node(at: datetime) -> str:
    """Whether other processes see heartbeats of this one; a process that serves no terminals has none."""
    return _node_heartbeats[-1].problem or OK if _node_heartbeats else OK


class DatabaseWatch:
    """Polls the database in its own thread, and stores the last result."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._found: Parts = dict.fromkeys(("database", "clock", "loops"), "not asked yet")
        self._found_at = monotonic()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="health", daemon=True)

    def start(self) -> None:
        self._thread.start()
        _watches.append(self)

    def stop(self) -> None:
        """Does not wait for a thread that hangs in the database."""
        self._stopping.set()
        if self in _watches:
            _watches.remove(self)

    def parts(self) -> Parts:
        age_s = self._monotonic() - self._found_at
        if age_s <= NO_ANSWER_AFTER_S:
            return dict(self._found)
        return dict.fromkeys(self._found, "unknown") | {"database": f"no response for {age_s:.0f} s"}

    def ask(self) -> None:
        try:
            found = database_parts(db_clock().now())
        except Exception as error:  # this thread must survive any error
            log.exception("health_check_failed")
            found = dict.fromkeys(self._found, f"unknown: {type(error).__name__}")
        finally:
            connection.close()
        self._found, self._found_at = found, self._monotonic()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self.ask()
            self._stopping.wait(CHECK_EVERY_S if is_ok(self._found) else CHECK_AGAIN_S)


# What this process has


def watch(node_heartbeat: NodeHeartbeat) -> None:
    """Report `node_heartbeat` from now on; a process has one."""
    _node_heartbeats.append(node_heartbeat)


def watch_server(server: Serving) -> None:
    """Liveness is that of `server` from now on."""
    _servers.append(server)


def watch_loop(turns: LoopTurns) -> None:
    _turns.append(turns)


def add_check(name: str, check: Callable[[datetime], str]) -> None:
    """A part that only the caller knows of. It is called in requests and must not block."""
    _added[name] = check


_node_heartbeats: list[NodeHeartbeat] = []
_servers: list[Serving] = []
_turns: list[LoopTurns] = []
_watches: list[DatabaseWatch] = []
_added: dict[str, Callable[[datetime], str]] = {}

CHECKS: dict[str, Callable[[datetime], str]] = {"feed": feed, "node": node}
