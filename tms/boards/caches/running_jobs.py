"""The jobs that are running. The rail of each page counts them, but they are rare."""

from tms.accounts.models import User
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.jobs.models import Job, JobRun, JobState
from tms.lib.per_process import per_process


class RunningJobCache(FeedCache[list[int], []]):
    """Their primary keys. Commands of a job show that it has begun or ended; a pause is noticed within `stale_s`."""

    min_interval_s = 2.0

    def is_relevant(self, change: Change) -> bool:
        return bool(change.commands) or change.everything

    def load(self) -> list[int]:
        going = JobRun.objects.going().filter(job__state=JobState.ACTIVE).order_by()
        return list(going.values_list("job", flat=True).distinct())

    def number_for(self, person: User) -> int:
        """How many of them the person reads."""
        running = self.get()
        return Job.objects.filter(pk__in=running).of(person).count() if running else 0


@per_process
def running_job_cache() -> RunningJobCache:
    """The jobs that are running, cached by this process."""
    return RunningJobCache()
