"""Candidates for an incident: recent presence alerts that belong to no incident yet."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from tms.alerts.models.alert import Alert
from tms.alerts.models.factor import Factor
from tms.alerts.rule_kinds.sources import RuleSource
from tms.fleet.models import Group, Presence

PASS_LIMIT = 10_000
LOST = (Presence.SILENT, Presence.OFFLINE)
"""Presences of a lost terminal."""


class CommonFactor(NamedTuple):
    """A possible common factor and its value."""

    factor: str
    key: str
    """The key of the factor, as in `Incident.key`."""


class AffectedShare(NamedTuple):
    """How many terminals with a common factor are affected, of how many."""

    lost: int
    size: int


class Candidate(NamedTuple):
    alert: int
    terminal: int
    severity: str
    opened_at: datetime
    site: int
    model: str
    firmware: str
    node: str
    lost_at: datetime
    groups: frozenset[int] = frozenset()

    def factors(self) -> Iterator[CommonFactor]:
        """Its possible common factors, in the order in which they are checked."""
        yield CommonFactor(Factor.SITE, str(self.site))
        for group in sorted(self.groups):
            yield CommonFactor(Factor.GROUP, str(group))
        named = ((Factor.MODEL, self.model), (Factor.FIRMWARE, self.firmware), (Factor.NODE, self.node))
        yield from (CommonFactor(factor, name) for factor, name in named if name)


COLUMNS = (
    *("pk", "terminal", "severity", "opened_at", "terminal__site", "terminal__model", "terminal__firmware"),
    *("terminal__state__node", "terminal__state__presence_at"),
)


def candidates(since: datetime) -> list[Candidate]:
    """Alerts opened `since` (index: alert_uncorrelated); two queries at most."""
    rows = (
        Alert.objects.unresolved()
        .uncorrelated()
        .filter(
            opened_at__gte=since, is_separate=False, rule__kind=RuleSource.PRESENCE, terminal__state__presence__in=LOST
        )
        .order_by("opened_at")
        .values_list(*COLUMNS)[:PASS_LIMIT]
    )
    found = [Candidate(*row) for row in rows]
    groups = groups_of([one.terminal for one in found]) if found else {}
    return [one._replace(groups=frozenset(groups.get(one.terminal, ()))) for one in found]


def groups_of(terminals: Collection[int]) -> dict[int, set[int]]:
    """The groups of each terminal."""
    groups: dict[int, set[int]] = {}
    members = Group.terminals.through.objects.filter(terminal__in=terminals)
    for terminal_id, group_id in members.values_list("terminal_id", "group_id"):
        groups.setdefault(terminal_id, set()).add(group_id)
    return groups
