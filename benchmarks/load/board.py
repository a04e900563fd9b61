import time
from dataclasses import dataclass, field

from picows import WSFrame, WSMsgType, WSTransport

from benchmarks.load.client import Client
from benchmarks.load.dialect import STATUSES, BoardPath, Dialect
from benchmarks.load.span import NEVER, Span


@dataclass
class Changes:
    """The probe's changes of status, in turn, so that a board's text tells which of the latest it shows."""

    made_at: list[float] = field(default_factory=list)

    @property
    def next_status(self) -> str:
        return STATUSES[len(self.made_at) % len(STATUSES)]

    def shown(self, status: str, *, since: int) -> int | None:
        """The number of the first change from `since` on that set `status`; None for what was shown before."""
        number = since + (STATUSES.index(status) - since) % len(STATUSES)
        is_old = since > 0 and number == since + len(STATUSES) - 1
        return None if is_old or number >= len(self.made_at) else number


class Board(Client):
    """A board's socket: reads frames, and notes when it first shows each change, or something newer."""

    def __init__(self, dialect: Dialect, path: BoardPath, changes: Changes) -> None:
        self.dialect = dialect
        self.path = path
        self.changes = changes
        self.shown_at: list[float] = []
        self.count_within(NEVER)

    def count_within(self, span: Span) -> None:
        self.span = span
        self.frames = 0
        self.bytes = 0

    @property
    def is_behind(self) -> bool:
        return self.path.is_timed and self.is_open and len(self.shown_at) < len(self.changes.made_at)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        if time.monotonic() in self.span:
            self.frames += 1
            self.bytes += len(payload)
        if self.path.is_timed and (status := self.dialect.probe_status(payload)):
            self._shows(status)

    def _shows(self, status: str) -> None:
        number = self.changes.shown(status, since=len(self.shown_at))
        if number is not None:
            self.shown_at += [time.monotonic()] * (number + 1 - len(self.shown_at))
