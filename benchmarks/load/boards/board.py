"""One open board of the load."""

import re
import time
from collections.abc import Sequence

from picows import WSFrame, WSMsgType, WSTransport

from benchmarks.load.client import Client
from benchmarks.load.client_protocol import BoardPath, ClientProtocol
from benchmarks.load.span import NEVER, Span


class Board(Client):
    """A board's socket: reads frames, and records when it first shows each change, or a newer one."""

    def __init__(self, protocol: ClientProtocol, path: BoardPath, made_at: Sequence[float]) -> None:
        self.protocol = protocol
        self.path = path
        self.made_at = made_at
        self.shown_at: list[float] = []
        """When the change of each number was shown."""
        self.received = 0
        self.patterns: list[re.Pattern[bytes]] = []
        """Patterns not found yet."""
        self.spotted_at = 0.0
        self.count_within(NEVER)

    def count_within(self, span: Span) -> None:
        self.span = span
        self.frames = 0
        self.bytes = 0

    @property
    def is_behind(self) -> bool:
        return self.path.is_timed and self.is_open and len(self.shown_at) < len(self.made_at)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload, now = frame.get_payload_as_bytes(), time.monotonic()
        self.received += 1
        if now in self.span:
            self.frames += 1
            self.bytes += len(payload)
        if self.patterns:
            self._find_patterns(payload, now)
        if self.path.is_timed:
            self._note_probe(payload, now)

    def _note_probe(self, payload: bytes, now: float) -> None:
        number = self.protocol.probe_number(payload)
        if number is not None and number < len(self.made_at):  # otherwise it is of an earlier run on the same database
            self.shown_at += [now] * (number + 1 - len(self.shown_at))

    def _find_patterns(self, payload: bytes, now: float) -> None:
        before = len(self.patterns)
        self.patterns = [pattern for pattern in self.patterns if not pattern.search(payload)]
        if len(self.patterns) < before:
            self.spotted_at = now
