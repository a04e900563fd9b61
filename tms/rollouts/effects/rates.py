"""How often a terminal is expected to be hit, from its own history and that of the fleet."""

HISTORY_DAYS = 14
SHRINKING_DAYS = 7
"""The mean of the fleet counts like this many days of a terminal's own history."""
LOWEST_MEAN = 1e-4
"""Hits a day where the fleet had none: then every terminal is as likely as the next."""
NOT_BACK = 0.01
"""The share of terminals that are expected not to come back from an update in time."""


def expected_rate(hits: int, days: float, mean: float) -> float:
    """Expected hits of one terminal a day, after `hits` within `days`, where the fleet has `mean` a day."""
    return (hits + SHRINKING_DAYS * max(mean, LOWEST_MEAN)) / (days + SHRINKING_DAYS)
