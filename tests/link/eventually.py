import asyncio
import time
from collections.abc import Callable

DEADLINE_S = 15


async def eventually[Value](look: Callable[[], Value], wanted: Value) -> None:
    """Look until `wanted` is seen. Says what was seen last when it never is."""
    deadline = time.monotonic() + DEADLINE_S
    while (seen := await asyncio.to_thread(look)) != wanted:
        assert time.monotonic() < deadline, f"still {seen!r}, wanted {wanted!r}"
