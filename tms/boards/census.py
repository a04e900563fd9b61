"""How many terminals are in each presence and how many alerts are unresolved, site by site: every number on a board."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from tms.alerts.models import Alert, AlertState
from tms.fleet.models import TerminalState
from tms.live.change import Change
from tms.live.hub import hub


@dataclass(frozen=True, slots=True)
class Census:
    terminals: Mapping[tuple[int, str], int]
    """By (site, presence)."""
    alerts: Mapping[tuple[int, str, str], int]
    """Unresolved ones, by (site, severity, state)."""

    def by_presence(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for (_, presence), number in self.terminals.items():
            counted[presence] += number
        return counted

    def by_severity(self, *, state: str = "") -> Counter[str]:
        counted: Counter[str] = Counter()
        for (_, severity, held), number in self.alerts.items():
            if state in ("", held):
                counted[severity] += number
        return counted

    def nobody_on_it(self) -> Counter[str]:
        return self.by_severity(state=AlertState.OPEN)

    def of_site(self, site: int) -> "Census":
        return Census(
            {key: number for key, number in self.terminals.items() if key[0] == site},
            {key: number for key, number in self.alerts.items() if key[0] == site},
        )

    @property
    def total(self) -> int:
        return sum(self.terminals.values())


def take() -> Census:
    terminals = TerminalState.objects.values_list("terminal__site", "presence").annotate(n=Count("pk"))
    alerts = Alert.objects.unresolved().values_list("terminal__site", "severity", "state").annotate(n=Count("pk"))
    return Census(
        {(site, presence): n for site, presence, n in terminals},
        {(site, severity, state): n for site, severity, state, n in alerts},
    )


class Kept:
    """The last census of this process. It holds until the feed tells of a change; without a feed it never does."""

    def __init__(self) -> None:
        self._census: Census | None = None
        self._changes = 0

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        if moves_counts(change):
            self._changes += 1
            self._census = None

    def read(self) -> Census:
        if not hub.is_live or self not in hub.listeners:
            hub.listeners.add(self)
            return take()
        kept, changes = self._census, self._changes
        if kept is None:
            kept = take()
            # A change that came meanwhile may or may not be counted: not to be kept.
            if changes == self._changes:
                self._census = kept
        return kept


def moves_counts(change: Change) -> bool:
    return bool(change.presence or change.alerts or change.everything)


kept = Kept()
