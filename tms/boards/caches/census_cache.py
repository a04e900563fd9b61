"""The census of this process: counted once, then updated for the rows that the feed names. Scopes see parts of it."""

import threading
import time
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.db.models import QuerySet

from tms.accounts.scope import EVERYTHING as ALL
from tms.accounts.scope import Scope
from tms.alerts.models import Alert
from tms.boards.caches import last_hour
from tms.boards.caches.census import (
    PRESENCE_KEY,
    UNRESOLVED_KEY,
    Census,
    PresenceCount,
    UnresolvedCount,
    take,
    unresolved_alerts,
)
from tms.boards.caches.census_parts import CensusParts
from tms.boards.caches.group_counter import GroupCounter
from tms.boards.caches.last_hour import Lines
from tms.feed.cache import FeedListener
from tms.feed.change import NOTHING, Change
from tms.feed.hub import FULL_CHANGE, hub
from tms.fleet.models import TerminalState
from tms.lib.db.prepared import QueryByKeys
from tms.lib.per_process import per_process

RECOUNT_S = 2.0
"""Age at which the census is counted again while the feed is unavailable."""
HOUR_S = 15.0
"""Age at which the lines of the last hour are read again."""


class Mismatches:
    """Rows that differed from the database at a comparison, without those that the feed has named since."""

    def __init__(self) -> None:
        self.is_comparing = False
        """The rows have to be compared again, also if the feed has named all of them."""
        self.terminals: set[int] = set()
        self.alerts: set[int] = set()

    def __len__(self) -> int:
        return len(self.terminals) + len(self.alerts)

    def clear(self) -> None:
        self.terminals, self.alerts = set(), set()


_states_by_key = QueryByKeys(
    lambda pks: TerminalState.objects.counted().filter(pk__in=pks).values_list("pk", *PRESENCE_KEY)
)


class CensusCache(FeedListener):
    """Reads changed rows only. `mismatches` compares it with the database."""

    def __init__(self) -> None:
        self._pending = FULL_CHANGE
        """Its `terminals` are those that booted."""
        self._pending_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._terminals: GroupCounter[PresenceCount] = GroupCounter(PRESENCE_KEY, _states_by_key)
        self._alerts: GroupCounter[UnresolvedCount] = GroupCounter(UNRESOLVED_KEY)
        self._census: Census | None = None
        self._parts = CensusParts(self._terminals, self._alerts)
        self._counted_at: dict[Scope, tuple[float, Census]] = {}
        self._hours: dict[Scope, tuple[float, Lines]] = {}
        self._mismatches = Mismatches()

    def changed(self, change: Change) -> None:
        """Collect the change until the next read. It grows to `everything` at most."""
        booted = frozenset(terminal for terminal, _ in change.sessions)
        pending = Change(terminals=booted, presence=change.presence, alerts=change.alerts, everything=change.everything)
        with self._pending_lock:
            # Once everything is to be read, it does not matter what else has changed.
            if pending != NOTHING and not self._pending.everything:
                self._pending |= pending

    def read(self, scope: Scope = ALL) -> Census:
        """What the scope covers."""
        if not self.is_fed:
            return self._count(scope)
        # Reading applies what is pending to the counts, which only one thread may do at a time.
        with self._read_lock:
            census = self._current()
            return census if scope.is_everything else self._parts.of(scope).census(census)

    def narrowed(self, change: Change, scopes: Collection[Scope]) -> Mapping[Scope, Change]:
        """What of `change` may concern pages of each scope: without the terminals and alerts of other sites."""
        if change.everything or not self.is_fed or all(scope.is_everything for scope in scopes):
            return dict.fromkeys(scopes, change)
        with self._read_lock:
            self._current()
            return self._parts.narrowed(change, scopes)

    def hour(self, census: Census, *, at: datetime, scope: Scope = ALL) -> Lines:
        """The lines of the last hour. They end with `census` or slightly older values."""
        cached, now = self._hours.get(scope), time.monotonic()
        if cached is not None and now - cached[0] <= HOUR_S and self.is_fed:
            return cached[1]
        lines = last_hour.hour(census, at=at, scope=scope)
        self._hours = _newer(self._hours, than=now - HOUR_S) | {scope: (now, lines)}
        return lines

    def mismatches(self) -> int | None:
        """Number of rows whose group differs from the database, after another comparison; None while not fed.

        The first comparison covers everything. A recently committed row may differ while its message is on its way:
        rows that the feed names are removed, and the next comparison covers the remaining ones. If none remain, it
        finds nothing, although other rows may be on their way by now.
        """
        if not self.is_fed:
            return None
        found = self._mismatches
        if found.is_comparing:
            self._compare_again(found)
        else:
            self._compare_all(found)
        found.is_comparing = len(found) > 0
        return len(found)

    def _compare_all(self, found: Mismatches) -> None:
        terminals, alerts = self._terminals.grouped(_states()), self._alerts.grouped(unresolved_alerts())
        with self._read_lock:
            self._current()
            found.terminals = self._terminals.mismatches(terminals)
            found.alerts = self._alerts.mismatches(alerts)

    def _compare_again(self, found: Mismatches) -> None:
        with self._read_lock:
            self._current()
            found.terminals = self._terminals.remaining_mismatches(_states(), found.terminals)
            found.alerts = self._alerts.remaining_mismatches(unresolved_alerts(), found.alerts)

    def _count(self, scope: Scope) -> Census:
        """The census of a scope, counted. Without a hub every read counts; while the feed is unavailable, once per
        `RECOUNT_S`.
        """
        counted, now = self._counted_at.get(scope), time.monotonic()
        if counted is not None and now - counted[0] < RECOUNT_S and hub().is_started:
            return counted[1]
        self.changed(FULL_CHANGE)
        census = take(scope)
        self._counted_at = _newer(self._counted_at, than=now - RECOUNT_S) | {scope: (now, census)}
        return census

    def _current(self) -> Census:
        with self._pending_lock:
            pending, self._pending = self._pending, NOTHING
        if pending != NOTHING or self._census is None:
            try:
                self._renew(pending)
            except (DatabaseError, InterfaceError):
                self.changed(FULL_CHANGE)
                raise
            self._census = Census(self._terminals.counts, self._alerts.counts)
        return self._census

    def _renew(self, pending: Change) -> None:
        if pending.everything:
            self._terminals.begin(_states())
            self._alerts.begin(unresolved_alerts())
            self._hours = {}
            self._mismatches.clear()
            self._parts.clear()
            return
        if pending.presence:
            self._terminals.renew(_states(), pending.presence)
        alerts = pending.alerts | _alerts_of(pending.terminals)
        if alerts:
            self._alerts.renew(unresolved_alerts(), alerts)
        self._mismatches.terminals -= pending.presence
        self._mismatches.alerts -= alerts
        self._parts.follow(pending.presence, alerts)


def _newer[Value](cached: Mapping[Scope, tuple[float, Value]], *, than: float) -> dict[Scope, tuple[float, Value]]:
    return {scope: entry for scope, entry in cached.items() if entry[0] >= than}


def _states() -> QuerySet[TerminalState]:
    return TerminalState.objects.counted()


def _alerts_of(terminals: Collection[int]) -> frozenset[int]:
    """Alerts of terminals that booted, because their model and firmware may have changed (index: alert_unresolved)."""
    if not terminals:
        return frozenset()
    return frozenset(pk for (pk,) in _unresolved_of(terminals))


_unresolved_of = QueryByKeys(lambda pks: Alert.objects.unresolved().filter(terminal__in=pks).values_list("pk"))


@per_process
def census_cache() -> CensusCache:
    """The census of this process."""
    return CensusCache()
