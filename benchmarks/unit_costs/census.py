"""The census of a node, and its comparison with the database."""

import tracemalloc

from benchmarks.unit_costs.plan import UnitPlan
from benchmarks.unit_costs.spent import measured
from tms.boards.caches.census import PRESENCE_KEY, PresenceCount
from tms.boards.caches.group_counter import GroupCounter
from tms.fleet.models import TerminalState


def compare(plan: UnitPlan) -> dict[str, float]:
    """The cost per terminal. The memory is that of what stays between two comparisons."""
    counter, size = _counted()
    with measured() as spent:
        for _ in range(plan.comparisons):
            assert not counter.mismatches(counter.grouped(TerminalState.objects.all()))
    return {"memory bytes": size / plan.terminals, **spent.each(plan.terminals * plan.comparisons)}


def _counted() -> tuple[GroupCounter[PresenceCount], int]:
    counter: GroupCounter[PresenceCount] = GroupCounter(PRESENCE_KEY)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    counter.begin(TerminalState.objects.all())
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return counter, after - before
