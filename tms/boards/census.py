"""How many terminals are in each presence and how many alerts are unresolved, site by site: every number on a board."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError
from django.db.models import Count, QuerySet

from tms.alerts.models import Alert, AlertState
from tms.fleet.models import TerminalState
from tms.live.change import NOTHING, Change
from tms.live.hub import EVERYTHING, hub

CHUNK = 5_000


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

    def by_site(self) -> "Mapping[int, Census]":
        terminals: dict[int, dict[tuple[int, str], int]] = {}
        alerts: dict[int, dict[tuple[int, str, str], int]] = {}
        for key, number in self.terminals.items():
            terminals.setdefault(key[0], {})[key] = number
        for alert, number in self.alerts.items():
            alerts.setdefault(alert[0], {})[alert] = number
        return {site: Census(counted, alerts.get(site, {})) for site, counted in terminals.items()}

    @property
    def total(self) -> int:
        return sum(self.terminals.values())


def take() -> Census:
    """Count everything: exact, and the dearer the larger the fleet."""
    terminals = TerminalState.objects.values_list("terminal__site", "presence").annotate(n=Count("pk"))
    return Census({(site, presence): n for site, presence, n in terminals}, _count_alerts())


class Kept:
    """The census of this process, renewed by what the feed says has changed; without a feed it is taken anew.

    Whether it still agrees with the database is what a board's proof finds out.
    """

    def __init__(self) -> None:
        self._news = Change(everything=True)
        self._news_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._stands: dict[int, tuple[int, str]] = {}
        """Site and presence of every terminal."""
        self._terminals: Counter[tuple[int, str]] = Counter()
        self._alerts: Mapping[tuple[int, str, str], int] = {}

    def changed(self, change: Change) -> None:
        """A listener of the hub."""
        if moves_counts(change):
            with self._news_lock:
                self._news |= Change(presence=change.presence, alerts=change.alerts, everything=change.everything)

    def read(self) -> Census:
        if not hub.is_live or self not in hub.listeners:
            return take()
        with self._read_lock:
            news = self._take_news()
            try:
                self._renew(news)
            except (DatabaseError, InterfaceError):
                self.changed(EVERYTHING)
                raise
            return Census({key: number for key, number in self._terminals.items() if number}, self._alerts)

    def _take_news(self) -> Change:
        with self._news_lock:
            news, self._news = self._news, NOTHING
        return news

    def _renew(self, news: Change) -> None:
        if news.everything:
            self._stands.clear()
            self._terminals.clear()
            self._stand(TerminalState.objects.all())
        elif news.presence:
            self._stand(TerminalState.objects.filter(pk__in=news.presence))
        if news.everything or news.alerts:
            self._alerts = _count_alerts()

    def _stand(self, states: QuerySet[TerminalState]) -> None:
        for pk, site, presence in states.values_list("pk", "terminal__site", "presence").iterator(CHUNK):
            before = self._stands.get(pk)
            if before is not None:
                self._terminals[before] -= 1
            self._stands[pk] = site, presence
            self._terminals[site, presence] += 1


def moves_counts(change: Change) -> bool:
    return bool(change.presence or change.alerts or change.everything)


def _count_alerts() -> dict[tuple[int, str, str], int]:
    alerts = Alert.objects.unresolved().values_list("terminal__site", "severity", "state").annotate(n=Count("pk"))
    return {(site, severity, state): n for site, severity, state, n in alerts}


kept = Kept()
