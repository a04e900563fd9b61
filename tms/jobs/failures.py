"""When a run fails too often. Pure."""

from collections.abc import Mapping

from tms.jobs.models.item import ItemState

FAILING_SHARE = 0.1
"""Share of failed items among those that have an outcome, above which people and integrators are told."""
MIN_OUTCOMES = 10
"""With fewer outcomes a share says nothing: the first of a thousand may fail."""


def is_above(share: float, counts: Mapping[str, int]) -> bool:
    """Whether more than this share of the items failed, of those that are done or failed. `counts` are by state."""
    failed = counts.get(ItemState.FAILED, 0)
    outcomes = counts.get(ItemState.DONE, 0) + failed
    return outcomes >= MIN_OUTCOMES and failed > share * outcomes
