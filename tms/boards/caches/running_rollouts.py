"""The rollouts that run or need a decision. The rail of each page counts them, but they are rare."""

from tms.accounts.models import User
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.lib.per_process import per_process
from tms.rollouts.models import Rollout, RolloutState

COUNTED = (RolloutState.RUNNING, RolloutState.HELD, RolloutState.PAUSED, RolloutState.STOPPED)


class RunningRolloutCache(FeedCache[list[int], []]):
    """Their primary keys."""

    min_interval_s = 2.0

    def is_relevant(self, change: Change) -> bool:
        return bool(change.rollouts) or change.everything

    def load(self) -> list[int]:
        return list(Rollout.objects.filter(state__in=COUNTED).order_by().values_list("pk", flat=True))

    def number_for(self, person: User) -> int:
        """How many of them the person reads."""
        running = self.get()
        return Rollout.objects.filter(pk__in=running).of(person).count() if running else 0


@per_process
def running_rollout_cache() -> RunningRolloutCache:
    """The rollouts that run or need a decision, cached by this process."""
    return RunningRolloutCache()
