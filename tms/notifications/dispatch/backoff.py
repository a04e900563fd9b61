"""The delay after a failed attempt to a destination."""

import random
from collections.abc import Callable

FIRST_S, MAX_S = 2.0, 900.0
MAX_OBEYED_S = 6 * 3600.0
"""Limit for a `Retry-After`."""


def wait_s(
    failures: int, *, retry_after_s: float | None = None, between: Callable[[float, float], float] = random.uniform
) -> float:
    """Delay after consecutive failures: doubled each time, with jitter, at least the `Retry-After`."""
    most = min(MAX_S, FIRST_S * 2.0 ** min(failures - 1, 16))
    return max(between(most / 2, most), min(retry_after_s or 0.0, MAX_OBEYED_S))
