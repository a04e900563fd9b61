"""The fleet with which every system is seeded. Secrets derive from UIDs."""

import hashlib
from collections.abc import Iterator

PROBE = "AAA-PROBE"
"""The terminal whose changes are timed until boards show them. Its name sorts first."""


def uids(number: int) -> Iterator[str]:
    yield PROBE
    for index in range(number):
        yield uid(index)


def uid(index: int) -> str:
    return f"BENCH-{index:06}"


def secret(of: str) -> str:
    return hashlib.sha256(b"benchmark " + of.encode()).hexdigest()


def credential(of: str) -> str:
    return f"{of}.{secret(of)}"


def digest(of: str) -> str:
    """The hash of the secret that a database stores."""
    return hashlib.sha256(secret(of).encode()).hexdigest()
