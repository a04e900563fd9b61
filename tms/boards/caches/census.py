"""Counts of terminals in service and of unresolved alerts, by site: the source of every number on a board."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

from django.db.models import Count

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.correlation.forming import UndecidedAlerts
from tms.alerts.models import Alert, AlertQuerySet, AlertState
from tms.fleet.models import Presence, TerminalState

type PresenceCount = tuple[int, str, str]
"""The group of a terminal: (site, presence, kind)."""
type UnresolvedCount = tuple[int, str, str, int, str, str, int | None, int | None, datetime | None]
"""The group of an unresolved alert: (site, severity, state, rule, model, firmware, acknowledged by, incident, undecided
since)."""

type _BySite[Key] = dict[int, list[tuple[Key, int]]]

PRESENCE_KEY = ("terminal__site", "presence", "terminal__kind")
UNRESOLVED_KEY = (
    "terminal__site",
    "severity",
    "state",
    "rule",
    "terminal__model",
    "terminal__firmware",
    "acknowledged_by",
    "incident",
    "undecided_since",
)


@dataclass(frozen=True, slots=True)
class PresenceCounts:
    """The counts of one site."""

    presences: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.presences.total()


@dataclass(frozen=True)
class Census:
    terminals: Mapping[PresenceCount, int]
    alerts: Mapping[UnresolvedCount, int]

    @cached_property
    def presences(self) -> Counter[str]:
        return _sum((presence, number) for (_, presence, _), number in self.terminals.items())

    @cached_property
    def peers(self) -> Counter[tuple[int, str]]:
        """Number of terminals by site and kind."""
        return _sum(((site, kind), number) for (site, _, kind), number in self.terminals.items())

    @cached_property
    def peers_online(self) -> Counter[tuple[int, str]]:
        online = ((key, number) for key, number in self.terminals.items() if key[1] == Presence.ONLINE)
        return _sum(((site, kind), number) for (site, _, kind), number in online)

    @cached_property
    def kinds_at(self) -> Mapping[int, list[tuple[str, str, int]]]:
        """Presence, kind and number of terminals, by site."""
        found: defaultdict[int, list[tuple[str, str, int]]] = defaultdict(list)
        for (site, presence, kind), number in self.terminals.items():
            found[site].append((presence, kind, number))
        return found

    @cached_property
    def severities(self) -> Counter[str]:
        return _sum((key[1], number) for key, number in self.alerts.items())

    @cached_property
    def unacknowledged(self) -> Counter[str]:
        """Number of unacknowledged alerts by severity."""
        return _sum((key[1], number) for key, number in self.alerts.items() if key[2] == AlertState.OPEN)

    @cached_property
    def snoozed(self) -> Counter[str]:
        """Number of snoozed alerts by severity."""
        return _sum((key[1], number) for key, number in self.alerts.items() if key[2] == AlertState.SNOOZED)

    @cached_property
    def awake(self) -> Counter[str]:
        """Number of unresolved alerts that are not snoozed, by severity."""
        return self.severities - self.snoozed

    @cached_property
    def undecided(self) -> Mapping[UnresolvedCount, UndecidedAlerts]:
        """Groups of alerts that correlation may still add to an incident. Old ones are decided."""
        return {
            key: UndecidedAlerts(site, rule, model, firmware, severity, since, number)
            for key, number in self.alerts.items()
            for site, severity, _, rule, model, firmware, _, _, since in (key,)
            if since is not None
        }

    @cached_property
    def incidents(self) -> frozenset[int]:
        """Incidents with unresolved alerts."""
        return frozenset(key[7] for key in self.alerts if key[7] is not None)

    @cached_property
    def factors(self) -> Mapping[str, Counter[Any]]:
        """Number of unresolved alerts by site and rule (primary keys), model and firmware."""
        positions = {"site": 0, "rule": 3, "model": 4, "firmware": 5}
        return {name: _sum((key[at], n) for key, n in self.alerts.items()) for name, at in positions.items()}

    @cached_property
    def acknowledged_by(self) -> Counter[int]:
        """Number of unresolved alerts by the person who acknowledged them."""
        return _sum((key[6], number) for key, number in self.alerts.items() if key[6] is not None)

    @cached_property
    def sites(self) -> Mapping[int, PresenceCounts]:
        """Counts by the primary key of the site; sites without terminals are missing."""
        tallies: dict[int, PresenceCounts] = {}
        for (site, presence, _), number in self.terminals.items():
            tallies.setdefault(site, PresenceCounts()).presences[presence] += number
        for (site, severity, *_), number in self.alerts.items():
            tallies.setdefault(site, PresenceCounts()).severities[severity] += number
        return tallies

    @cached_property
    def total(self) -> int:
        return self.presences.total()

    @cached_property
    def unresolved(self) -> int:
        return self.severities.total()

    def within(self, sites: Collection[int]) -> "Census":
        """The counts of these sites. All such parts of a census share one index of it."""
        terminals, alerts = self._by_site
        return Census(
            dict(chain.from_iterable(terminals[site] for site in sites if site in terminals)),
            dict(chain.from_iterable(alerts[site] for site in sites if site in alerts)),
        )

    @cached_property
    def _by_site(self) -> tuple[_BySite[PresenceCount], _BySite[UnresolvedCount]]:
        return _index_by_site(self.terminals), _index_by_site(self.alerts)


def unresolved_alerts() -> AlertQuerySet:
    """Unresolved alerts with the columns of `UNRESOLVED_KEY`."""
    return Alert.objects.unresolved().with_undecided_since()


def take(scope: Scope = EVERYTHING) -> Census:
    """Count everything in the scope. Exact, but the cost grows with the fleet."""
    states, unresolved = within(TerminalState.objects.counted(), scope), within(unresolved_alerts(), scope)
    terminals = states.values_list(*PRESENCE_KEY).annotate(n=Count("pk"))
    alerts = unresolved.values_list(*UNRESOLVED_KEY).annotate(n=Count("pk"))
    return Census(
        {tuple(row[:-1]): row[-1] for row in terminals},
        {tuple(row[:-1]): row[-1] for row in alerts},
    )


def _index_by_site[Key: tuple[Any, ...]](counts: Mapping[Key, int]) -> _BySite[Key]:
    by_site: _BySite[Key] = defaultdict(list)
    for key, number in counts.items():
        by_site[key[0]].append((key, number))
    return by_site


def _sum[Key](numbers: Iterable[tuple[Key, int]]) -> Counter[Key]:
    counted: Counter[Key] = Counter()
    for key, number in numbers:
        counted[key] += number
    return counted
