"""How many terminals are in each presence and how many alerts are unresolved, site by site: every number on a board."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Count

from tms.alerts.models import Alert, AlertState
from tms.fleet.models import TerminalState

type Stand = tuple[int, str]
"""What a terminal counts as: (site, presence)."""
type Held = tuple[int, str, str]
"""What an unresolved alert counts as: (site, severity, state)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The numbers of one site."""

    presences: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.presences.total()


@dataclass(frozen=True)
class Census:
    terminals: Mapping[Stand, int]
    alerts: Mapping[Held, int]

    @cached_property
    def presences(self) -> Counter[str]:
        return _summed((presence, number) for (_, presence), number in self.terminals.items())

    @cached_property
    def severities(self) -> Counter[str]:
        return _summed((severity, number) for (_, severity, _), number in self.alerts.items())

    @cached_property
    def nobody_on_it(self) -> Counter[str]:
        """Severities of the alerts that nobody has acknowledged."""
        open_ones = ((key, number) for key, number in self.alerts.items() if key[2] == AlertState.OPEN)
        return _summed((severity, number) for (_, severity, _), number in open_ones)

    @cached_property
    def sites(self) -> Mapping[int, Tally]:
        """By primary key; a site without terminals has no tally."""
        tallies: dict[int, Tally] = {}
        for (site, presence), number in self.terminals.items():
            tallies.setdefault(site, Tally()).presences[presence] += number
        for (site, severity, _), number in self.alerts.items():
            tallies.setdefault(site, Tally()).severities[severity] += number
        return tallies

    @cached_property
    def total(self) -> int:
        return self.presences.total()

    @cached_property
    def unresolved(self) -> int:
        return self.severities.total()


def take() -> Census:
    """Count everything: exact, and the dearer the larger the fleet."""
    terminals = TerminalState.objects.values_list("terminal__site", "presence").annotate(n=Count("pk"))
    alerts = Alert.objects.unresolved().values_list("terminal__site", "severity", "state").annotate(n=Count("pk"))
    return Census(
        {(site, presence): number for site, presence, number in terminals},
        {(site, severity, state): number for site, severity, state, number in alerts},
    )


def _summed(numbers: Iterable[tuple[str, int]]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for name, number in numbers:
        counted[name] += number
    return counted
