"""The models of jobs. Django finds them here; other apps import them from here."""

from tms.jobs.models.event import JobEvent, JobEventKind
from tms.jobs.models.item import Item, ItemState
from tms.jobs.models.job import OPEN, Job, JobHours, JobState, RetryReason
from tms.jobs.models.run import JobRun

__all__ = [
    "OPEN",
    "Item",
    "ItemState",
    "Job",
    "JobEvent",
    "JobEventKind",
    "JobHours",
    "JobRun",
    "JobState",
    "RetryReason",
]
