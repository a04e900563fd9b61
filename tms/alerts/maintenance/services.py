"""Maintenance windows: plan, extend, end, cancel; rolling over to the next occurrence."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.db import models, transaction
from django.utils.translation import gettext, gettext_lazy, ngettext

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.alerts.maintenance import coverage
from tms.alerts.models.maintenance import PastOccurrence, Window
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import BadRecurrence, Recurrence
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate

log = structlog.get_logger(__name__)

MAX_LENGTH = timedelta(days=31)
PASS_LIMIT = 200
NO_OCCURRENCE = gettext_lazy("No upcoming occurrence. Choose a later end or another recurrence.")

not_rolled_over = SetAside[int]("maintenance")


class NotActive(Exception):
    """The window is past, or its occurrence has not begun: there is nothing to end or extend."""

    code = "tms:window-not-active"


@dataclass(frozen=True, slots=True)
class WindowScope:
    """The scope of a window; any of the three suffices."""

    sites: Collection[Site] = ()
    groups: Collection[Group] = ()
    terminals: Collection[Terminal] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.sites or self.groups or self.terminals)

    @property
    def covered(self) -> models.QuerySet[Terminal]:
        """All of its terminals."""
        in_groups = Group.terminals.through.objects.filter(group__in=self.groups).values("terminal")
        return Terminal.objects.filter(
            models.Q(site__in=self.sites)
            | models.Q(pk__in=[terminal.pk for terminal in self.terminals])
            | models.Q(pk__in=in_groups)
        )


def scope_error(scope: WindowScope) -> str:
    """What is wrong with the scope; empty if it is valid."""
    return gettext("Choose at least one site, group or terminal.") if scope.is_empty else ""


def length_error(length: timedelta) -> str:
    if length <= timedelta(0):
        return gettext("The end must be after the start.")
    return gettext("The duration must not exceed 31 days.") if length > MAX_LENGTH else ""


@transaction.atomic
def plan(recurrence: Recurrence, scope: WindowScope, *, note: str, by: User | None, at: datetime) -> Window:
    """A new window. Raises BadRecurrence if it has no future occurrence, and NotAgreed."""
    clearance.demand(Act.PLAN, by=by, at=at, **act_of(recurrence, scope, note=note))
    first = next(recurrence.occurrences(at), None)
    if first is None:
        raise BadRecurrence(str(NO_OCCURRENCE))
    window = Window(
        note=note,
        time_zone=recurrence.zone.key,
        first_on=recurrence.starts_at.date(),
        starts_at=recurrence.starts_at.time(),
        length_s=int(recurrence.length.total_seconds()),
        rrule=recurrence.rule,
        occurs_at=first.since,
        occurs_until=first.until,
        is_active=first.since <= at,
        created_by=by,
        created_at=at,
    )
    with recorder.change(window):
        window.save()
        window.sites.set(scope.sites)
        window.groups.set(scope.groups)
        window.terminals.set(scope.terminals)
    coverage.agree(window)
    publish(Change(everything=True))
    return window


def act_of(recurrence: Recurrence, scope: WindowScope, *, note: str) -> dict[str, Any]:
    """The payload of a new window as an act that may need a second person."""
    return {
        "note": note,
        "time_zone": recurrence.zone.key,
        "starts_at": recurrence.starts_at,
        "length_s": int(recurrence.length.total_seconds()),
        "rrule": recurrence.rule,
        "sites": tuple(site.pk for site in scope.sites),
        "groups": tuple(group.pk for group in scope.groups),
        "terminals": tuple(terminal.pk for terminal in scope.terminals),
    }


@transaction.atomic
def end(window: Window, *, by: User, at: datetime) -> None:
    """End the active occurrence now; the next one is not affected. Raises NotActive."""
    _move_end(window, at, by=by, at=at, action="ended")
    roll_over(at)


@transaction.atomic
def extend(window: Window, *, until: datetime, by: User | None, at: datetime) -> None:
    """The active occurrence lasts until `until`, for all that its scope has now. Raises NotActive and NotAgreed."""
    clearance.demand(Act.EXTEND, by=by, at=at, window=window.pk, seen_until=window.occurs_until, until=until)
    _move_end(window, until, by=by, at=at, action="extended")
    coverage.agree(window)


@transaction.atomic
def cancel(window: Window, *, by: User, at: datetime) -> None:
    """End the active occurrence, and cancel all others. Idempotent."""
    current = Window.objects.current().filter(pk=window.pk)
    if current.update(ended_at=at, changed_at=at, changed_by=by):
        recorder.record("cancelled", window)
        publish(Change(everything=True))


@transaction.atomic
def restore(window: Window, *, by: User, at: datetime) -> bool:
    """Plan a cancelled window again, as it was. False if it was restored already."""
    cancelled = Window.objects.past().filter(pk=window.pk, ended_at=window.ended_at)
    if not cancelled.update(ended_at=None, changed_at=at, changed_by=by):
        return False
    recorder.record("restored", window)
    publish(Change(everything=True))
    roll_over(at)
    return True


@transaction.atomic
def _move_end(window: Window, until: datetime, *, by: User | None, at: datetime, action: str) -> None:
    active = Window.objects.current().filter(pk=window.pk, occurs_at__lte=at, occurs_until__gt=at)
    if not active.update(occurs_until=until, changed_at=at, changed_by=by):
        raise NotActive(f"maintenance window {window.pk} has no active occurrence")
    recorder.record(action, window, {"occurs_until": (window.occurs_until.isoformat(), until.isoformat())})
    publish(Change(everything=True))


def _begun(at: datetime) -> models.QuerySet[Window]:
    """The windows that have begun (index: window_not_ended)."""
    return Window.objects.current().filter(occurs_at__lte=at)


@skip_when_empty(lambda at: _begun(at).filter(models.Q(is_active=False) | models.Q(occurs_until__lte=at)))
def roll_over(at: datetime) -> int:
    """Publish the windows that began, and move those that ended to their next occurrence. Returns how many.

    Each is a conditional update, so that a concurrent change of the end is not lost.
    """
    begins = _begun(at).filter(is_active=False, occurs_until__gt=at)
    with transaction.atomic():
        coverage.check_growth(begins)
        changed = begins.update(is_active=True)
    if changed:
        publish(Change(everything=True))
    ended = _begun(at).filter(occurs_until__lte=at).exclude(pk__in=not_rolled_over.keys(at))
    pks = list(ended.values_list("pk", flat=True)[:PASS_LIMIT])
    return changed + isolate(pks, partial(_roll_over_ended, at=at), aside=not_rolled_over, at=at)


def _roll_over_ended(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    ended = _begun(at).filter(pk__in=pks, occurs_until__lte=at)
    changed = sum(_roll_over(window, at) for window in ended)
    if changed:
        publish(Change(everything=True))
    return changed


def _roll_over(window: Window, at: datetime) -> int:
    current = Window.objects.current().filter(pk=window.pk, occurs_until=window.occurs_until)
    coming = window.occurrence_after(window.occurrence, at)
    if coming is None:
        return current.update(ended_at=window.occurs_until, is_active=False)
    moved = current.update(occurs_at=coming.since, occurs_until=coming.until, is_active=coming.since <= at)
    if moved:  # its end may have been moved, so its rule does not show when it took place
        PastOccurrence.objects.get_or_create(
            window=window, since=window.occurs_at, defaults={"until": window.occurs_until}
        )
    return moved


def preview_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> list[str]:
    """What `follow_lifecycle` would do. A receiver of `lifecycle_preview`."""
    if to is not Lifecycle.RETIRED:
        return []
    number = Window.objects.current().filter(terminals__in=terminals).distinct().count()
    text = ngettext("Removed from %(n)s maintenance window.", "Removed from %(n)s maintenance windows.", number)
    return [text % {"n": f"{number:,}"}] if number else []


def follow_lifecycle(*, terminals: Collection[int], to: Lifecycle, **_: object) -> None:
    """Windows lose retired terminals that they name. A receiver of `lifecycle_changed`."""
    if to is not Lifecycle.RETIRED:
        return
    named = Window.terminals.through.objects.filter(terminal__in=terminals)
    named.filter(window__in=Window.objects.current()).delete()
