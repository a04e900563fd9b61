"""Is this TMS well? Each check says in words what is wrong."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import DatabaseError, InterfaceError, connection

from tms.fleet.wall import wall
from tms.live.hub import hub
from tms.ops import beats
from tms.ops.pulse import Pulse

WELL = "ok"


def report(*, at: datetime | None = None) -> Mapping[str, str]:
    """The state of each part by name: `ok`, or what is wrong with it."""
    at = at or wall.now()
    return {name: check(at) for name, check in CHECKS.items()}


def is_well(parts: Mapping[str, str]) -> bool:
    return all(state == WELL for state in parts.values())


def database(at: datetime) -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        return f"no answer: {type(error).__name__}"
    return WELL


def feed(at: datetime) -> str:
    if not hub.is_started:
        return WELL  # no socket yet: this process has had nothing to listen for
    if not hub.subscribed:
        return "not subscribed"
    return WELL if hub.is_live else f"nothing heard for {hub.behind_s:.0f} s"


def clock(at: datetime) -> str:
    try:
        late = beats.late_by(beats.CLOCK, at=at)
    except (DatabaseError, InterfaceError) as error:
        return f"unknown: {type(error).__name__}"
    if late is None:
        return "never ran; start it with `manage.py clock`"
    return WELL if late < beats.LATE else f"last ran {late.total_seconds():.0f} s ago"


def node(at: datetime) -> str:
    """Whether the others hear of this process; a process that serves no terminals has nothing to say."""
    return _pulses[-1].trouble or WELL if _pulses else WELL


def watch(pulse: Pulse) -> None:
    """Tell of `pulse` from now on; a process has one."""
    _pulses.append(pulse)


_pulses: list[Pulse] = []

CHECKS: Mapping[str, Callable[[datetime], str]] = {"database": database, "feed": feed, "clock": clock, "node": node}
