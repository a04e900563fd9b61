"""What a run prints about its progress."""

import sys
import time

_began_at = time.monotonic()


def say(text: str) -> None:
    """Print to standard error, so that the table may be redirected to a file."""
    print(f"[{time.monotonic() - _began_at:4.0f} s] {text}", file=sys.stderr, flush=True)
