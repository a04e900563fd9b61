"""The state from which a replay starts: the nearest snapshot, or what is in the database now."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from django.db.models import Model, Q, QuerySet

from tms.alerts.models import Alert, Transition
from tms.fleet.models import Presence, PresenceChange, Terminal, TerminalState
from tms.fleet.models.terminal import TerminalQuerySet
from tms.lib.db.consistent_read import consistent_read
from tms.replay.models import Snapshot

KEYS = 5_000
"""Keys in one query."""
LATEST_COMMIT = timedelta(hours=1)
"""A change is committed within this time after its instant, also if the database was away meanwhile."""


class VisibleRows(Protocol):
    """Which rows of one table were committed."""

    @property
    def unseen(self) -> Q:
        """A filter of the others."""

    def __contains__(self, pk: int) -> bool: ...


class Visibility(Protocol):
    """Which rows were committed at an instant. A change is recorded with the instant at which it was decided.

    The fault tests compare replays with what was in the database at that moment.
    """

    def of(self, model: type[Model]) -> VisibleRows: ...


@dataclass(frozen=True, slots=True)
class Base:
    at: datetime
    presences: Mapping[int, str]
    """Presences of the terminals that were not online."""
    alerts: Collection[int]
    """The alerts that were unresolved."""


@dataclass(frozen=True, slots=True)
class Instant:
    """The instant of a replay. With `visibility`, only rows that were committed count."""

    at: datetime
    visibility: Visibility | None = None

    def changes[Rows: QuerySet[Model]](self, rows: Rows, *, since: datetime | None = None) -> Rows:
        """The rows of a history up to the instant, and after `since`."""
        found = rows.filter(at__lte=self.at)
        if since is not None:
            found = found.filter(at__gt=since)
        return found.exclude(self._unseen(rows.model)) if self.visibility else found

    def later[Rows: QuerySet[Model]](self, rows: Rows, *, until: datetime | None = None) -> Rows:
        """The rows of a history after the instant."""
        found = rows.filter(Q(at__gt=self.at) | self._unseen(rows.model))
        return found.filter(at__lte=until) if until else found

    def is_later(self, model: type[Model], pk: int, at: datetime) -> bool:
        return at > self.at or (self.visibility is not None and pk not in self.visibility.of(model))

    def existing(self) -> TerminalQuerySet:
        """The terminals that existed."""
        if self.visibility:
            return Terminal.objects.exclude(self._unseen(Terminal))
        return Terminal.objects.filter(created_at__lte=self.at)

    def uncommitted[Rows: QuerySet[Model]](self, rows: Rows) -> Rows:
        """The rows of a history that had been decided, but not committed."""
        if self.visibility is None:
            return rows.none()
        return rows.filter(self._unseen(rows.model), at__gt=self.at - LATEST_COMMIT, at__lte=self.at)

    def _unseen(self, model: type[Model]) -> Q:
        return self.visibility.of(model).unseen if self.visibility else Q()


def nearest(at: datetime) -> Base | None:
    """The newest snapshot up to `at`, otherwise the first after it."""
    before = Snapshot.objects.filter(at__lte=at).order_by("-at").first()
    snapshot = before or Snapshot.objects.filter(at__gt=at).order_by("at").first()
    return Base(snapshot.at, *snapshot.read()) if snapshot else None


def presences(instant: Instant, base: Base | None) -> dict[int, str]:
    """The presence of each terminal that was not online; of terminals that did not exist yet, too."""
    if base is None:
        found = _undone_from_now(instant)
    elif base.at > instant.at:
        found = {**base.presences, **_before_first(instant.later(PresenceChange.objects.all(), until=base.at))}
    else:
        created = instant.existing().filter(created_at__gt=base.at).values_list("pk", flat=True)
        changed = instant.changes(PresenceChange.objects.all(), since=base.at).order_by("at", "pk")
        after = dict(changed.values_list("terminal_id", "presence"))
        found = {**base.presences, **dict.fromkeys(created, Presence.NEVER.value), **after}
    return {pk: presence for pk, presence in found.items() if presence != Presence.ONLINE}


def _undone_from_now(instant: Instant) -> dict[int, str]:
    with consistent_read():
        away = TerminalState.objects.exclude(presence=Presence.ONLINE).values_list("terminal_id", "presence")
        return dict(away) | _before_first(instant.later(PresenceChange.objects.all()))


def _before_first(changes: QuerySet[PresenceChange]) -> dict[int, str]:
    """The presence of terminals before the first of `changes`."""
    return dict(changes.order_by("-at", "-pk").values_list("terminal_id", "before"))


def unresolved(instant: Instant, base: Base | None) -> list[int]:
    """Alerts that were unresolved, by their own columns. Those of uncommitted transitions are added."""
    at = instant.at
    opened, unresolved_then = Q(opened_at__lte=at), Q(resolved_at=None) | Q(resolved_at__gt=at)
    if base is None:
        found = set(_keys(Alert.objects.unresolved().filter(opened)))
        found.update(_keys(Alert.objects.filter(opened, resolved_at__gt=at)))
    elif base.at > at:
        found = set(in_chunks(Alert.objects.filter(opened), base.alerts))
        found.update(_keys(Alert.objects.filter(opened, resolved_at__gt=at, resolved_at__lte=base.at)))
    else:
        found = set(in_chunks(Alert.objects.filter(unresolved_then), base.alerts))
        found.update(_keys(Alert.objects.filter(opened, unresolved_then, opened_at__gt=base.at)))
    found.update(instant.uncommitted(Transition.objects.order_by()).values_list("alert", flat=True))
    return sorted(found)


def _keys(rows: QuerySet[Model]) -> Iterable[int]:
    return rows.order_by().values_list("pk", flat=True)


def in_chunks(rows: QuerySet[Model], keys: Collection[int]) -> Iterator[int]:
    """The keys of those of `rows` that have one of these keys."""
    for chunk in batched(keys, KEYS):
        yield from _keys(rows.filter(pk__in=chunk))
