import time
from collections.abc import Callable

DEADLINE_S = 60


def eventually[Value](look: Callable[[], Value], wanted: Value) -> None:
    """Look until `wanted` is seen. Says what was seen last when it never is."""
    deadline = time.monotonic() + DEADLINE_S
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"still {seen!r}, wanted {wanted!r}"
        time.sleep(0.02)
