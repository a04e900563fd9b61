"""Active maintenance. Boards need it in every pass, but it changes a few times a day."""

from datetime import datetime
from typing import NamedTuple

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.maintenance import coverage
from tms.alerts.models.maintenance import Window
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.fleet.models import Terminal
from tms.lib.per_process import per_process


class PlanRows(NamedTuple):
    """The windows that are active, and the sites that they cover."""

    windows: list[Window]
    sites: dict[int, datetime]
    """Sites that are in maintenance as a whole, with its end."""


class PlanMemory:
    """What was read since the last change; filled on demand."""

    def __init__(self) -> None:
        self.maintenance: PlanRows | None = None
        self.terminals: dict[Scope, int] = {}
        """Number of terminals in maintenance."""


class PlanCache(FeedCache[PlanMemory, []]):
    def is_relevant(self, change: Change) -> bool:
        return change.everything

    def load(self) -> PlanMemory:
        return PlanMemory()

    def maintenance(self, at: datetime) -> PlanRows:
        memory = self.get()
        if memory.maintenance is None:
            memory.maintenance = _active_maintenance(at)
        return memory.maintenance

    def in_maintenance(self, scope: Scope, at: datetime) -> int:
        """Number of terminals of the scope in maintenance."""
        memory, windows = self.get(), self.maintenance(at).windows
        if windows and scope not in memory.terminals:
            terminals = within(Terminal.objects.filter(coverage.in_scope(windows)), scope)
            memory.terminals[scope] = terminals.count()
        return memory.terminals.get(scope, 0)


def _active_maintenance(at: datetime) -> PlanRows:
    windows = coverage.running(at)
    if not windows:
        return PlanRows([], {})
    until = {window.pk: window.occurs_until for window in windows}
    sites: dict[int, datetime] = {}
    for window_id, site_id in Window.sites.through.objects.filter(window__in=until).values_list("window", "site"):
        sites[site_id] = max(until[window_id], sites.get(site_id, until[window_id]))
    return PlanRows(windows, sites)


@per_process
def plan_cache() -> PlanCache:
    """Active maintenance, cached by this process."""
    return PlanCache()
