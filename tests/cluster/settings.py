"""What the tests of the cluster know of it."""

from typing import NamedTuple

PASSWORD = "a password for tests"


TAKEOVERS = 4


class FixtureFleet(NamedTuple):
    credentials: list[str]
    """Of terminals that nobody uses yet; take one off."""
    alert: int
    token: str
