"""The models of jobs. Django finds them here; other apps import them from here."""

from tms.jobs.models.item import Item, ItemState
from tms.jobs.models.job import OPEN, Hours, Job, JobState, RetryReason
from tms.jobs.models.run import Run

__all__ = ["OPEN", "Hours", "Item", "ItemState", "Job", "JobState", "RetryReason", "Run"]
