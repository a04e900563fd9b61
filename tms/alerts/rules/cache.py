"""The rules in force, as a snapshot that is replaced when the feed reports a change of rules."""

from collections.abc import Iterable

from tms.alerts.models import Rule
from tms.alerts.rules.compiled import RuleSet
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.fleet.lifecycle import WITHOUT_ALERTS
from tms.fleet.models import Group, Terminal
from tms.lib.per_process import per_process


class RuleCache(FeedCache[RuleSet, []]):
    """`snapshot` may be read from any thread, without a query; `get` reads the database if necessary.

    Changes of groups are not published: they take effect when the value is stale. Without the feed the same age
    applies, because ingest calls `get` for every batch.
    """

    unfed_stale_s = FeedCache.stale_s

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = RuleSet()

    def is_relevant(self, change: Change) -> bool:
        return change.rules or change.everything

    def load(self) -> RuleSet:
        """The same object as before if nothing changed: evaluators compare it by identity."""
        rows = tuple(Rule.objects.enabled().order_by("pk"))
        found, known = RuleSet(rows, _members(rows), _silent()), self.snapshot
        if (_marks(rows), found.groups, found.silent) != (_marks(known.rows), known.groups, known.silent):
            self.snapshot = found
        return self.snapshot


def _members(rows: Iterable[Rule]) -> dict[int, frozenset[int]]:
    """The terminals of each group that a rule names."""
    named = {row.group_id for row in rows if row.group_id is not None}
    if not named:
        return {}
    members: dict[int, set[int]] = {group_id: set() for group_id in named}
    for group_id, terminal_id in Group.terminals.through.objects.filter(group__in=named).values_list(
        "group", "terminal"
    ):
        members[group_id].add(terminal_id)
    return {group_id: frozenset(terminal_ids) for group_id, terminal_ids in members.items()}


def _silent() -> frozenset[int]:
    """The terminals without alerts (index: terminal_lifecycle)."""
    return frozenset(Terminal.objects.filter(lifecycle__in=WITHOUT_ALERTS).values_list("pk", flat=True))


def _marks(rows: Iterable[Rule]) -> list[tuple[int, int]]:
    return [(row.pk, row.revision) for row in rows]


@per_process
def rule_cache() -> RuleCache:
    """The rules in force, cached by this process."""
    return RuleCache()
