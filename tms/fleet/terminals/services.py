"""Services that create, edit, move and delete terminals. Boards show every change at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.identity import history
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import (
    Credential,
    Device,
    DeviceState,
    IdentitySource,
    Placement,
    Site,
    Terminal,
    TerminalKind,
    TerminalState,
)
from tms.fleet.presence import store
from tms.protocol.credential import UID


class BadUid(ValueError):
    """The text cannot be a UID."""

    code = "tms:bad-uid"


class Cycle(Exception):
    """A terminal cannot be connected via itself, nor via one that is connected via it."""

    code = "tms:circle"


class HasHistory(Exception):
    """A terminal that was connected once is retired, not deleted."""

    code = "tms:has-history"


@dataclass(frozen=True, slots=True)
class TerminalValues:
    """What people set of a terminal."""

    site: Site
    kind: TerminalKind
    label: str = ""
    parent: Terminal | None = None


@transaction.atomic
def create_terminal(uid: str, values: TerminalValues, *, at: datetime) -> Terminal:
    """A planned terminal without device and key. Raises BadUid, or IntegrityError if the UID exists."""
    if not UID.fullmatch(uid):
        raise BadUid(uid)
    terminal = Terminal(uid=uid, lifecycle=Lifecycle.PLANNED, lifecycle_at=at, **_columns(values))
    with recorder.change(terminal):
        terminal.save(force_insert=True)
        TerminalState.objects.create(terminal=terminal)
    new = frozenset({terminal.pk})
    publish(Change(terminals=new, presence=new, rules=True))
    return terminal


@transaction.atomic
def edit_terminal(terminal: Terminal, values: TerminalValues, *, by: User | None, at: datetime) -> None:
    """Edit and move a terminal. Raises Cycle if it would be connected via itself, and NotAgreed.

    With another site or kind it moves to other lists, so every board reads again.
    """
    check_no_cycle(terminal.pk, values.parent.pk if values.parent else None)
    stored = Terminal.objects.select_for_update().get(pk=terminal.pk)
    before = (stored.site_id, stored.kind)
    if stored.site_id != values.site.pk:
        clearance.demand(Act.MOVE, by=by, at=at, terminals=(terminal.pk,), site=values.site.pk)
    with history.recording([terminal.pk], by=by, at=at), recorder.change(terminal):
        Terminal.objects.filter(pk=terminal.pk).update(**_columns(values))
        _take_devices([terminal.pk], values.site)
    terminal.refresh_from_db()
    is_elsewhere = before != (terminal.site_id, terminal.kind)
    publish(Change(terminals=frozenset({terminal.pk}), everything=is_elsewhere, rules=is_elsewhere))


@transaction.atomic
def move_terminals(
    terminals: Collection[int],
    *,
    to: Site,
    by: User | None,
    at: datetime,
    source: IdentitySource = IdentitySource.PERSON,
) -> int:
    """Move terminals to a site; their devices go with them. What happened before stays with the site of then.

    Returns how many moved. Raises NotAgreed.
    """
    rows = Terminal.objects.select_for_update().filter(pk__in=terminals).exclude(site=to).order_by("pk")
    moved = {row.pk: row for row in rows.select_related("site")}
    clearance.demand(Act.MOVE, by=by, at=at, terminals=tuple(moved), site=to.pk)
    with history.recording(moved, by=by, at=at, source=source):
        Terminal.objects.filter(pk__in=moved).update(site=to)
        _take_devices(moved, to)
    for row in moved.values():
        recorder.record("moved", row, {"site": (str(row.site), str(to))})
    if moved:
        publish(Change(everything=True, rules=True))
    return len(moved)


@transaction.atomic
def delete_terminal(terminal: Terminal) -> None:
    """Delete a terminal that was never connected, with its keys. Its device is spare then. Raises HasHistory."""
    [state] = store.lock([terminal.pk]).values()
    if state.last_seen_at is not None:
        raise HasHistory(f"{terminal.uid} was connected once; retire it instead")
    keys = frozenset(terminal.credentials.values_list("pk", flat=True))
    devices = list(Device.objects.filter(placements__terminal=terminal, serial="").values_list("pk", flat=True))
    recorder.record("deleted", terminal)
    placed = Device.objects.filter(placements__terminal=terminal, placements__ended_at=None)
    placed.update(state=DeviceState.SPARE)
    Placement.objects.filter(terminal=terminal).delete()
    terminal.delete()
    Credential.objects.filter(device__in=devices).delete()
    Device.objects.filter(pk__in=devices, placements=None).delete()
    publish(Change(revoked=keys, everything=True))


def check_no_cycle(terminal_id: int | None, parent_id: int | None) -> None:
    """Follow `parent_id` upwards and lock the rows, so that concurrent edits cannot make a cycle either.

    Call it in a transaction. Raises Cycle if it leads to the terminal itself.
    """
    passed: set[int] = set()
    while parent_id is not None and parent_id not in passed:
        if parent_id == terminal_id:
            raise Cycle(f"terminal {terminal_id} would be linked through itself")
        passed.add(parent_id)
        way = Terminal.objects.select_for_update(no_key=True).filter(pk=parent_id)
        parent_id = way.values_list("parent", flat=True).first()


def _columns(values: TerminalValues) -> dict[str, object]:
    return {"site": values.site, "kind": values.kind, "label": values.label, "parent": values.parent}


def _take_devices(terminals: Collection[int], site: Site) -> None:
    """The devices of moved terminals are at the new site."""
    Device.objects.filter(placements__terminal__in=terminals, placements__ended_at=None).update(site=site)
