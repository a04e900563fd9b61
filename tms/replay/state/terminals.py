"""The link, status and readings of some terminals at an instant."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from tms.fleet.models import Presence, PresenceChange, Terminal, TerminalState
from tms.replay.state.base import Instant
from tms.telemetry.models import Report

READINGS = 20
"""The newest reports whose metrics are merged: a terminal may report its metrics in turn."""


def states(terminals: QuerySet[Terminal], instant: Instant) -> dict[int, TerminalState]:
    """The states by primary key; two index lookups for each terminal."""
    rows = terminals.select_related("site", "state").annotate(
        change_before=Subquery(_changes().filter(at__lte=instant.at).order_by("-at", "-pk").values("pk")[:1]),
        change_after=Subquery(_changes().filter(at__gt=instant.at).order_by("at", "pk").values("pk")[:1]),
        reported_at=Subquery(_reports(instant).values("at")[:1]),
    )
    found = list(rows)
    changes = PresenceChange.objects.in_bulk(_keys(found))
    return {row.pk: _rewind(row, changes, instant) for row in found}


def readings(terminal: int, instant: Instant) -> dict[str, float]:
    """The metrics of its newest reports, as TMS merged them."""
    newest = Report.objects.filter(terminal=terminal, late=False, **_within(instant)).order_by("-at")
    merged: dict[str, float] = {}
    for metrics in newest.values_list("metrics", flat=True)[:READINGS]:
        merged = {**metrics, **merged}
    return merged


def _changes() -> QuerySet[PresenceChange]:
    return PresenceChange.objects.filter(terminal=OuterRef("pk"))


def _reports(instant: Instant) -> QuerySet[Report]:
    """The reports before the instant (index: report_terminal_at, of the partitions of that time)."""
    return Report.objects.filter(terminal=OuterRef("pk"), late=False, **_within(instant)).order_by("-at")


def _within(instant: Instant) -> Mapping[str, object]:
    return {"at__lte": instant.at, "at__gt": instant.at - timedelta(days=settings.READINGS_DAYS)}


def _keys(rows: Iterable[Terminal]) -> Collection[int]:
    return [key for row in rows for key in (row.change_before, row.change_after) if key is not None]  # type: ignore[attr-defined]  # annotated


def _rewind(terminal: Terminal, changes: Mapping[int, PresenceChange], instant: Instant) -> TerminalState:
    """The state at the instant. Without a change before, the presence is that before the next one: then its
    beginning was deleted, or it was never seen.
    """
    state = terminal.state
    state.terminal = terminal
    before, after = changes.get(terminal.change_before), changes.get(terminal.change_after)  # type: ignore[attr-defined]  # annotated
    if before is not None:
        state.presence, state.presence_at = before.presence, before.at
        state.cause, state.back_at = before.cause, before.back_at
    elif after is not None:
        state.presence, state.presence_at, state.cause, state.back_at = after.before, None, "", None
    elif state.presence_at is not None and state.presence_at > instant.at:
        state.presence, state.presence_at, state.cause, state.back_at = Presence.NEVER.value, None, "", None
    state.due_at = state.lease_at = None
    state.last_seen_at = state.status_at = terminal.reported_at  # type: ignore[attr-defined]  # annotated
    state.status, state.metrics = "", {}
    return state
