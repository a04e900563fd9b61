"""How often boards are painted."""

LEAST_S = 0.1
"""Nobody reads a number that changes more often."""
SHARE = 33
"""Painting takes one part in so many of a core, as long as `TMS_FRAME_INTERVAL_S` allows it."""


def interval(spent_s: float, *, most_s: float) -> float:
    """How long to gather changes after a pass that took `spent_s` of CPU: the cheaper it was, the sooner the next.

    So a change is seen soon while there is little to do, and when there is much, reports come first.
    """
    return min(most_s, max(LEAST_S, SHARE * spent_s))
