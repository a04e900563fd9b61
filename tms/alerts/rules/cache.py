"""The rules as this process knows them: a snapshot that is replaced when the feed says that rules changed."""

import time
from collections.abc import Iterable

from tms.alerts.models import Rule
from tms.alerts.rules.compiled import RuleSet
from tms.feed.change import Change
from tms.fleet.models import Group

STALE_S = 30.0
"""Read again after this even when the feed said nothing, for it is only a hint; and it says nothing of groups."""


class RuleBook:
    """`snapshot` may be read from any thread; `refresh` reads the database."""

    def __init__(self) -> None:
        self.snapshot = RuleSet()
        self._read_at: float | None = None

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        if change.rules or change.everything:
            self._read_at = None

    def refresh(self) -> RuleSet:
        now, read_at = time.monotonic(), self._read_at  # looked at once: the loop's thread may reset it
        if read_at is None or now - read_at > STALE_S:
            self._read_at = now  # before the reading: what changes meanwhile is read again
            self._read()
        return self.snapshot

    def _read(self) -> None:
        try:
            rows = tuple(Rule.objects.enabled().order_by("pk"))
            groups = _members(rows)
        except Exception:
            self._read_at = None
            raise
        if _marks(rows) != _marks(self.snapshot.rows) or groups != self.snapshot.groups:
            self.snapshot = RuleSet(rows, groups)


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


def _marks(rows: Iterable[Rule]) -> list[tuple[int, int]]:
    return [(row.pk, row.revision) for row in rows]


rulebook = RuleBook()
