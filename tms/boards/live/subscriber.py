"""The open boards of a live page."""

import time
from collections.abc import Mapping
from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType

from tms.boards.live import frames
from tms.boards.live.frames import Freshness, PendingUpdate, Verification
from tms.metrics import instruments
from tms.server import Connection

LAGGING_BYTES = 64 * 1024
"""A subscriber with more unwritten bytes gets no more frames; later it gets the newest state."""


class ViewerId(NamedTuple):
    """Who opened a board, as the feed names them: a person or a wall screen, by primary key."""

    kind: Literal["person", "screen"]
    pk: int


type Credential = str | int
"""The key of a session, or the primary key of a wall screen."""


class Subscriber:
    """One browser that shows a live page."""

    def __init__(self, wire: Connection, *, person: int | None, session: Credential, rights_key: str) -> None:
        self.wire = wire
        self.person = person
        """The person; None for a wall screen."""
        self.session = session
        self.rights_key = rights_key
        """`Rights.key` of the person, or the key of the wall screen, as the page was opened with."""
        self.checked_at = time.monotonic()
        """When these were known to be the viewer's rights."""
        self.may_type = True
        """Whether the person may act on alerts; others are never shown as typing."""
        self.number = 0
        self.sent_at = time.monotonic()
        self.last_verification: Verification | UnsetType = UNSET
        """The last verification sent."""
        self.needs_repaint = True
        self.pending = PendingUpdate()

    @property
    def viewer(self) -> ViewerId:
        if isinstance(self.session, int):
            return ViewerId("screen", self.session)
        return ViewerId("person", self.person or 0)

    @property
    def is_lagging(self) -> bool:
        return self.wire.unwritten > LAGGING_BYTES

    def add_pending(self, pending: PendingUpdate) -> None:
        if not self.needs_repaint:
            instruments.BOARD_COALESCED.inc(self.pending.add(pending))

    def request_repaint(self) -> None:
        self.needs_repaint = True
        self.pending = PendingUpdate()

    def beat(self, freshness: Freshness, encoded: Mapping[bool, str], *, now: float) -> None:
        """`encoded` with and without the verification, which is sent once."""
        self.number += 1
        self.wire.send(frames.numbered(encoded[self.last_verification != freshness.database], self.number))
        self.sent_at, self.last_verification = now, freshness.database
        instruments.BOARD_FRAMES.labels("beat").inc()

    def send(self, encoded: list[str], *, kind: str, freshness: Freshness, now: float) -> None:
        for frame in encoded:
            self.number += 1
            self.wire.send(frames.numbered(frame, self.number))
        self.sent_at = now
        self.last_verification = freshness.database
        self.pending = PendingUpdate()
        self.needs_repaint = False
        instruments.BOARD_FRAMES.labels(kind).inc(len(encoded))
