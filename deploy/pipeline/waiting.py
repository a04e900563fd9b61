import time
from collections.abc import Callable

from deploy.pipeline.failure import DeploymentFailed


class Patience:
    """Looks again and again, tells what changed, and gives up."""

    def __init__(self, *, every_s: float = 10, longest_s: float = 1800) -> None:
        self._every_s = every_s
        self._longest_s = longest_s

    def until(self, look: Callable[[], tuple[bool, str]], *, what: str) -> None:
        """`look` says whether it is over, and in words how it stands. Raises Failed, also when `look` does."""
        began, last = time.monotonic(), ""
        while True:
            over, told = look()
            seconds = time.monotonic() - began
            if told != last:
                print(f"[{seconds:4.0f} s] {what}: {told}", flush=True)
                last = told
            if over:
                return
            if seconds > self._longest_s:
                raise DeploymentFailed(f"{what} took longer than {self._longest_s:.0f} s; it stood at: {told}")
            time.sleep(self._every_s)
