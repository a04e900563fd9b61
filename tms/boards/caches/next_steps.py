"""The next escalation steps of incidents: boards show them in every pass, and reading one takes many queries."""

from datetime import datetime

from tms.accounts.scope import Scope
from tms.alerts.escalation_plans import PlannedStep, plans_of
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.lib.per_process import per_process


class NextSteps:
    """Filled on demand."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Scope], PlannedStep | None] = {}

    def of(self, incident: int, scope: Scope, *, at: datetime) -> PlannedStep | None:
        """The step that is due next, by policies that the scope shows."""
        key = incident, scope
        if key not in self._known:
            plans = plans_of(incident, scope, at=at)
            self._known[key] = plans[0].next_step if plans else None
        return self._known[key]


class NextStepCache(FeedCache[NextSteps, []]):
    stale_s = 5.0
    """A step that was taken is not on the feed."""

    def is_relevant(self, change: Change) -> bool:
        return bool(change.incidents or change.everything)

    def load(self) -> NextSteps:
        return NextSteps()


@per_process
def next_step_cache() -> NextStepCache:
    return NextStepCache()
