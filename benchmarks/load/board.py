import time

from picows import WSFrame, WSMsgType, WSTransport

from benchmarks.load.client import Client
from benchmarks.load.dialect import BoardPath, Dialect
from benchmarks.load.span import NEVER, Span


class Board(Client):
    """A board's socket: reads frames, and notes when it first shows each change, or something newer."""

    def __init__(self, dialect: Dialect, path: BoardPath) -> None:
        self.dialect = dialect
        self.path = path
        self.shown_at: list[float] = []
        """By the number of the change."""
        self.count_within(NEVER)

    def count_within(self, span: Span) -> None:
        self.span = span
        self.frames = 0
        self.bytes = 0

    def is_behind(self, changes: int) -> bool:
        return self.path.is_timed and self.is_open and len(self.shown_at) < changes

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        if time.monotonic() in self.span:
            self.frames += 1
            self.bytes += len(payload)
        number = self.dialect.probe_number(payload) if self.path.is_timed else None
        if number is not None:
            self.shown_at += [time.monotonic()] * (number + 1 - len(self.shown_at))
