"""Settings of the cluster's tests."""

from typing import NamedTuple

PASSWORD = "a password for tests"


TAKEOVERS = 4


class FixtureFleet(NamedTuple):
    credentials: list[str]
    """Unused terminals; take one off."""
    alert: int
    token: str
