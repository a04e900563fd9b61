"""The parts of the census that limited scopes cover. Used by the census cache only, under its lock."""

import time
from abc import ABC, abstractmethod
from collections.abc import Collection

from django.db.models import QuerySet
from msgspec import structs

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.caches.census import Census, PresenceCount, UnresolvedCount
from tms.boards.caches.group_counter import GroupCounter, RowsBySite
from tms.feed.change import Change
from tms.fleet.models import Site, Terminal

RENEW_S = 30.0
"""Age at which a part is made again, because the feed is only a hint."""

type Terminals = GroupCounter[PresenceCount]
type Alerts = GroupCounter[UnresolvedCount]


class CensusPart(ABC):
    """What a scope covers of the rows that the census counts."""

    def __init__(self) -> None:
        self.made_at = self.used_at = time.monotonic()
        self._cached: tuple[Census, Census] | None = None

    def census(self, whole: Census) -> Census:
        """The part of `whole`."""
        if self._cached is None or self._cached[0] is not whole:
            self._cached = whole, self._census(whole)
        return self._cached[1]

    @abstractmethod
    def _census(self, whole: Census) -> Census: ...

    @abstractmethod
    def follow(self, terminals: Collection[int], alerts: Collection[int]) -> None:
        """These rows were counted again."""

    @abstractmethod
    def terminals_among(self, rows: RowsBySite) -> frozenset[int]:
        """The terminals that the scope covers, covered lately or may cover."""

    @abstractmethod
    def alerts_among(self, rows: RowsBySite) -> frozenset[int]: ...


class SitePart(CensusPart):
    """The part of regions and sites: what is counted by site."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._sites = frozenset(within(Site.objects.order_by(), scope).values_list("pk", flat=True))

    def _census(self, whole: Census) -> Census:
        return whole.within(self._sites)

    def follow(self, terminals: Collection[int], alerts: Collection[int]) -> None:
        pass

    def terminals_among(self, rows: RowsBySite) -> frozenset[int]:
        touched = (self._sites | {None}) & rows.keys()
        return frozenset().union(*(rows[site] for site in touched))

    alerts_among = terminals_among


class TerminalPart(CensusPart):
    """The part of groups, perhaps with regions and sites: counted terminal by terminal."""

    def __init__(self, scope: Scope, terminals: Terminals, alerts: Alerts) -> None:
        super().__init__()
        self._scope = scope
        self._of_all = terminals, alerts
        self._members = frozenset(within(Terminal.objects.order_by(), scope).values_list("pk", flat=True))
        self._terminals = terminals.part(self._members)
        self._alerts = alerts.part(self._covered_pks(Alert.objects.unresolved()))

    def _covered_pks(self, alerts: QuerySet[Alert]) -> frozenset[int]:
        return frozenset(within(alerts.order_by(), self._scope).values_list("pk", flat=True))

    def _census(self, whole: Census) -> Census:
        return Census(self._terminals.counts, self._alerts.counts)

    def follow(self, terminals: Collection[int], alerts: Collection[int]) -> None:
        all_terminals, all_alerts = self._of_all
        self._terminals.follow(all_terminals, terminals, self._members)
        if alerts:
            self._alerts.follow(all_alerts, alerts, self._covered_pks(Alert.objects.filter(pk__in=alerts)))

    def terminals_among(self, rows: RowsBySite) -> frozenset[int]:
        all_terminals, _ = self._of_all
        return frozenset(pk for pk in _all(rows) if pk in self._members or all_terminals.has_left(pk)) | _unknown(rows)

    def alerts_among(self, rows: RowsBySite) -> frozenset[int]:
        _, all_alerts = self._of_all
        found = (pk for pk in _all(rows) if self._alerts.counts_row(pk) or all_alerts.has_left(pk))
        return frozenset(found) | _unknown(rows)


class CensusParts:
    """The parts in use, by scope."""

    def __init__(self, terminals: Terminals, alerts: Alerts) -> None:
        self._terminals = terminals
        self._alerts = alerts
        self._parts: dict[Scope, CensusPart] = {}

    def of(self, scope: Scope) -> CensusPart:
        now, part = time.monotonic(), self._parts.get(scope)
        if part is None or part.made_at < now - RENEW_S:
            part = self._parts[scope] = self._make(scope)
        part.used_at = now
        return part

    def narrowed(self, change: Change, scopes: Collection[Scope]) -> dict[Scope, Change]:
        """`change` for pages of each scope."""
        named = change.terminals | change.presence | change.status | {terminal for terminal, _ in change.sessions}
        terminals, alerts = self._terminals.by_site(named), self._alerts.by_site(change.alerts)
        return {
            scope: change if scope.is_everything else _narrow(change, self.of(scope), terminals, alerts)
            for scope in scopes
        }

    def follow(self, terminals: Collection[int], alerts: Collection[int]) -> None:
        self._drop_unused()
        for part in self._parts.values():
            part.follow(terminals, alerts)

    def clear(self) -> None:
        self._parts.clear()

    def _make(self, scope: Scope) -> CensusPart:
        return TerminalPart(scope, self._terminals, self._alerts) if scope.groups else SitePart(scope)

    def _drop_unused(self) -> None:
        oldest = time.monotonic() - RENEW_S
        self._parts = {scope: part for scope, part in self._parts.items() if part.used_at >= oldest}


def _all(rows: RowsBySite) -> frozenset[int]:
    return frozenset().union(*rows.values())


def _unknown(rows: RowsBySite) -> frozenset[int]:
    return frozenset(rows.get(None, ()))


def _narrow(change: Change, part: CensusPart, terminals: RowsBySite, alerts: RowsBySite) -> Change:
    touched = part.terminals_among(terminals)
    return structs.replace(
        change,
        terminals=change.terminals & touched,
        presence=change.presence & touched,
        status=change.status & touched,
        alerts=part.alerts_among(alerts),
        sessions=frozenset(session for session in change.sessions if session[0] in touched),
    )
