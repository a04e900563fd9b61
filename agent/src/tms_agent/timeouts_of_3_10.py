"""What Python 3.10 lacks of `asyncio.timeout`, as far as the agent needs it."""

import asyncio
from types import TracebackType


class Timeout:
    """Cancels the task that entered it, and converts that cancellation into TimeoutError.

    Python 3.10 does not count cancellations: one from elsewhere in the same turn of the loop is taken for the timeout.
    """

    def __init__(self, when: float | None) -> None:
        self._when = when
        self._timer: asyncio.Handle | None = None
        self._task: asyncio.Task[object] | None = None
        self._is_expired = False

    def when(self) -> float | None:
        return self._when

    def reschedule(self, when: float | None) -> None:
        """`when` is a time of the loop's clock; None for never."""
        self._when = when
        if self._timer:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if when is None else loop.call_at(max(when, loop.time()), self._expire)

    async def __aenter__(self) -> "Timeout":
        self._task = asyncio.current_task()
        self.reschedule(self._when)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer:
            self._timer.cancel()
        if self._is_expired and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        assert self._task
        self._is_expired = True
        self._task.cancel()


def timeout(delay_s: float | None) -> Timeout:
    return Timeout(None if delay_s is None else asyncio.get_running_loop().time() + delay_s)
