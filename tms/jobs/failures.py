"""When a run fails too often. Pure."""

from collections.abc import Mapping

from tms.jobs.models.item import ItemState
from tms.jobs.models.job import Job

FAILING_PCT = 10
"""Percentage of failed items among those that have an outcome, above which people and integrators are told."""
MIN_OUTCOMES = 10
"""A percentage of fewer outcomes says nothing: the first of a thousand may fail."""


def is_above(pct: int, counts: Mapping[str, int], *, after: int) -> bool:
    """Whether more than this percentage failed, of the items that are done or failed, once there are `after` of them.

    `counts` are by state.
    """
    failed = counts.get(ItemState.FAILED, 0)
    outcomes = counts.get(ItemState.DONE, 0) + failed
    return outcomes >= after and 100 * failed > pct * outcomes


def must_stop(job: Job, counts: Mapping[str, int]) -> bool:
    """Whether the stop rule of the job holds for its run."""
    return job.stop_above_pct > 0 and is_above(job.stop_above_pct, counts, after=job.stop_after)
