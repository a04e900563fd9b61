"""A planned terminal with a token for its device, and how far the device has got."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from django.db import transaction

from tms.accounts.models import User
from tms.fleet.enrolment import tokens
from tms.fleet.enrolment.tokens import TokenLimits
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import EnrolmentToken, Presence, Terminal
from tms.fleet.terminals.services import TerminalValues, create_terminal


class AlreadyConnected(Exception):
    """The terminal is not planned any more. Its device gets another key on the terminal's own page."""


class Progress(StrEnum):
    WAITING = "waiting"
    """The token is valid, and was not used."""
    ENROLLED = "enrolled"
    """The device has its key, and was never connected."""
    EXPIRED = "expired"
    """No token is valid."""
    CONNECTED = "connected"

    @property
    def is_over(self) -> bool:
        """Nothing more happens until a person acts."""
        return self in (Progress.EXPIRED, Progress.CONNECTED)


@transaction.atomic
def plan(
    values: TerminalValues, *, uid: str = "", by: User | None, at: datetime, valid: timedelta | None = None
) -> tuple[Terminal, str]:
    """A planned terminal and a token for its device. Without `uid` it gets the next free one.

    Raises BadUid, or IntegrityError if the UID exists.
    """
    terminal = create_terminal(uid, values, at=at) if uid else tokens.create_next(values, at=at)
    return terminal, tokens.make_token(TokenLimits(terminal=terminal), by=by, at=at, valid=valid)


@transaction.atomic
def renew_token(terminal: Terminal, *, by: User | None, at: datetime, valid: timedelta | None = None) -> str:
    """A new token for a planned terminal, whose other tokens are withdrawn. Raises AlreadyConnected."""
    locked = Terminal.objects.select_for_update(of=("self",)).select_related("site").get(pk=terminal.pk)
    if locked.lifecycle != Lifecycle.PLANNED:
        raise AlreadyConnected(locked.uid)
    for token in tokens.usable(at).filter(terminal=terminal).select_related("site"):
        tokens.withdraw_token(token, at=at)
    return tokens.make_token(TokenLimits(terminal=locked), by=by, at=at, valid=valid)


def progress_of(terminal: Terminal, *, at: datetime) -> Progress:
    """How far its device is, with the newest token. At most three queries: pages ask every two seconds."""
    if terminal.state.presence != Presence.NEVER:
        return Progress.CONNECTED
    if tokens.usable(at).filter(terminal=terminal).exists():
        return Progress.WAITING
    return Progress.ENROLLED if terminal.credentials.valid(at).exists() else Progress.EXPIRED


def newest_token(terminal: Terminal) -> EnrolmentToken | None:
    return EnrolmentToken.objects.filter(terminal=terminal).order_by("-pk").first()


def next_uid(values: TerminalValues) -> str:
    """The UID that the next terminal gets."""
    found: Iterator[str] = islice(tokens.free_uids(values.site, values.kind), 1)
    return next(found)
