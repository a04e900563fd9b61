"""Waiting for something in AWS."""

import time
from collections.abc import Callable

from deploy.pipeline.failure import DeploymentFailed


class Polling:
    """Polls a check, prints each change of its status, and gives up after `timeout_s`."""

    def __init__(self, *, interval_s: float = 10, timeout_s: float = 1800) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s

    def within(self, timeout_s: float) -> "Polling":
        """The same for something that may take longer, or must be faster."""
        return Polling(interval_s=self._interval_s, timeout_s=timeout_s)

    def until(self, check: Callable[[], tuple[bool, str]], *, what: str) -> None:
        """`check` returns whether it is done, and a status. Raises DeploymentFailed, as `check` may."""
        began, last = time.monotonic(), ""
        while True:
            is_done, status = check()
            seconds = time.monotonic() - began
            if status != last:
                print(f"[{seconds:4.0f} s] {what}: {status}", flush=True)
                last = status
            if is_done:
                return
            if seconds > self._timeout_s:
                raise DeploymentFailed(f"{what} took longer than {self._timeout_s:.0f} s; last status: {status}")
            time.sleep(self._interval_s)
