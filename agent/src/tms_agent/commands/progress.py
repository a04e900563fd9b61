"""How far the running commands are, as TMS learns."""

import asyncio
from collections.abc import Callable

from tms_agent.protocol.frames import ProgressFrame, RequestId
from tms_agent.protocol.limits import TEXT_LENGTH
from tms_agent.reports import clean

EVERY_S = 1.0
"""One frame at a time, of all commands together: they count against the frames per minute."""


class Progress:
    """Keeps only the newest of each command."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._on_due = on_due
        self._newest: dict[RequestId, ProgressFrame] = {}
        self._is_due = False
        self._due_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def note(self, request_id: RequestId, percent: int | None, text: str) -> None:
        self._newest[request_id] = ProgressFrame(request_id, percent, clean(text, TEXT_LENGTH))
        self._wait()

    def forget(self, request_id: RequestId) -> None:
        self._newest.pop(request_id, None)

    def next(self) -> ProgressFrame | None:
        """What is due: one a second."""
        if not self._is_due or not self._newest:
            return None
        self._is_due = False
        frame = self._newest.pop(next(iter(self._newest)))
        if self._newest:
            self._wait()
        return frame

    def cancel(self) -> None:
        self._newest.clear()
        if self._timer:
            self._timer.cancel()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._due_at, self._due)

    def _due(self) -> None:
        self._timer = None
        self._is_due = True
        self._due_at = asyncio.get_running_loop().time() + EVERY_S
        self._on_due()
