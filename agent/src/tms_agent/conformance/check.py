"""A check: a behaviour that is expected of a client, and how testing it can end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tms_agent.conformance.terminal import Terminal

    Run = Callable[["Terminal"], Awaitable[None]]


class Level(str, Enum):
    CORE = "core"
    BACKFILL = "backfill"
    FULL = "full"
    HOSTILE = "hostile"


class State(str, Enum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_TESTED = "not tested"


class Failed(Exception):
    """The client behaved differently; the message says what was seen."""


class NotTested(Exception):
    """The message says what is missing for this check."""


@dataclass(frozen=True)
class Check:
    name: str
    level: Level
    expected: str
    run: "Run | None" = None
    """None: `watch` judges it by what happens in the other checks."""
    needs_command: bool = False
    """Starts or ends the client, or leaves it waiting for minutes."""
    is_long: bool = False
    """Begins first."""


@dataclass(frozen=True)
class Result:
    check: Check
    state: State
    why: str = ""
    log: str = ""
    """The last lines of the client."""


CHECKS: list[Check] = []


def check(level: Level, *, needs_command: bool = False, is_long: bool = False) -> "Callable[[Run], Run]":
    """Makes a function a check. Its docstring says what is expected."""

    def register(run: "Run") -> "Run":
        name = run.__name__.replace("_", "-")
        CHECKS.append(Check(name, level, " ".join((run.__doc__ or "").split()), run, needs_command, is_long))
        return run

    return register
