"""Services that change the lifecycle state of terminals: into and out of service, retire, bring back.

Apps above the fleet follow in the same transaction: alerts are resolved, commands expire, windows lose the terminal.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.dispatch import Signal

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.approvals import clearance
from tms.approvals.acts import Act
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.devices import placements
from tms.fleet.identity import history
from tms.fleet.lifecycle import CHANGES, Lifecycle
from tms.fleet.models import (
    Credential,
    DeviceState,
    IdentityChange,
    IdentityField,
    IdentitySource,
    Placement,
    Terminal,
)
from tms.fleet.presence import store

BRING_BACK_WITHIN = timedelta(days=30)

lifecycle_changed = Signal()
"""Sent in the transaction, with `terminals` (primary keys), `to`, `by` and `at`. Link states are locked."""

lifecycle_preview = Signal()
"""Asks what `lifecycle_changed` would do, with `terminals` and `to`. Each receiver returns sentences."""


class NotPossible(Exception):
    """The state cannot follow the present one, or the time to bring a terminal back is over."""

    code = "tms:lifecycle"

    def __init__(self, terminal: Terminal, to: Lifecycle) -> None:
        super().__init__(f"{terminal.uid}: {Lifecycle(terminal.lifecycle).label} → {to.label}")
        self.terminal = terminal
        self.to = to


@transaction.atomic
def change_state(
    terminals: Collection[int],
    to: Lifecycle,
    *,
    by: User | None,
    at: datetime,
    comment: str = "",
    source: IdentitySource = IdentitySource.PERSON,
) -> int:
    """Put terminals in service or take them out of it. Returns how many changed. Raises NotPossible.

    Retired ones are brought back instead, which returns their devices.
    """
    rows = _locked(terminals, to)
    for row in rows:
        if row.lifecycle == Lifecycle.RETIRED:
            raise NotPossible(row, to)
    _write(rows, to, by=by, at=at, comment=comment, source=source)
    return len(rows)


@transaction.atomic
def retire(
    terminals: Collection[int],
    *,
    device_becomes: DeviceState,
    by: User | None,
    at: datetime,
    comment: str = "",
    source: IdentitySource = IdentitySource.PERSON,
) -> int:
    """Retire terminals: their keys are revoked, links close within seconds, and their devices are free.

    Raises NotPossible and NotAgreed.
    """
    chosen = tuple(sorted(terminals))
    clearance.demand(Act.RETIRE, by=by, at=at, terminals=chosen, device_becomes=device_becomes, comment=comment)
    rows = _locked(terminals, Lifecycle.RETIRED)
    placements.remove_all([row.pk for row in rows], becomes=device_becomes, at=at)
    _write(rows, Lifecycle.RETIRED, by=by, at=at, comment=comment, source=source)
    return len(rows)


@transaction.atomic
def bring_back(
    terminals: Collection[int],
    *,
    by: User | None,
    at: datetime,
    comment: str = "",
    source: IdentitySource = IdentitySource.PERSON,
) -> int:
    """Undo that terminals were retired, within 30 days: each returns to the state that it had.

    Its device returns with its keys, unless it is lost or serves elsewhere now. Raises NotPossible.
    """
    states = states_before(terminals)
    number = 0
    for to in sorted(set(states.values())):
        rows = _locked([pk for pk, state in states.items() if state == to], Lifecycle(to))
        for row in rows:
            if row.lifecycle == Lifecycle.RETIRED and (row.lifecycle_at or at) < at - BRING_BACK_WITHIN:
                raise NotPossible(row, Lifecycle(to))
            _return_device(row, by=by, at=at)
        _write(rows, Lifecycle(to), by=by, at=at, comment=comment, source=source)
        number += len(rows)
    return number


@transaction.atomic
def plan_again(
    terminals: Collection[int], *, by: User | None, at: datetime, source: IdentitySource = IdentitySource.PERSON
) -> int:
    """Undo that planned terminals were put in service by hand. Those that connected since stay in service."""
    store.lock(terminals)
    unseen = Terminal.objects.filter(pk__in=terminals, lifecycle=Lifecycle.IN_SERVICE, state__last_seen_at=None)
    rows = list(unseen.select_for_update(of=("self",)).order_by("pk"))
    _write(rows, Lifecycle.PLANNED, by=by, at=at, comment="", source=source)
    return len(rows)


def consequences(terminals: Collection[int], to: Lifecycle) -> list[str]:
    """What other apps would do if these terminals changed to this state, in the active language."""
    answers = lifecycle_preview.send(Terminal, terminals=frozenset(terminals), to=to)
    return [sentence for _, sentences in answers for sentence in sentences or ()]


def _locked(terminals: Collection[int], to: Lifecycle) -> list[Terminal]:
    """Lock the terminals that are not in the state yet; their link states first, as code that changes alerts does."""
    store.lock(terminals)
    rows = list(
        Terminal.objects.select_for_update(of=("self",)).filter(pk__in=terminals).exclude(lifecycle=to).order_by("pk")
    )
    for row in rows:
        if to not in CHANGES[Lifecycle(row.lifecycle)]:
            raise NotPossible(row, to)
    return rows


def _write(
    rows: Iterable[Terminal],
    to: Lifecycle,
    *,
    by: User | None,
    at: datetime,
    comment: str,
    source: IdentitySource,
) -> None:
    before = {row.pk: row for row in rows}
    if not before:
        return
    with history.recording(before, by=by, at=at, source=source):
        Terminal.objects.filter(pk__in=before).update(lifecycle=to, lifecycle_at=at)
    if not source.is_of_many:
        for row in before.values():
            recorder.record("state-changed", row, {"lifecycle": (row.lifecycle, to.value)}, comment=comment)
    lifecycle_changed.send(Terminal, terminals=frozenset(before), to=to, by=by, at=at)
    changed = frozenset(before)
    publish(Change(terminals=changed, presence=changed, rules=True, everything=True))


def states_before(terminals: Collection[int]) -> dict[int, str]:
    """The state of each terminal before it was retired."""
    changes = IdentityChange.objects.filter(
        terminal__in=terminals, field=IdentityField.LIFECYCLE, after=Lifecycle.RETIRED.value
    )
    found = dict(changes.order_by("at", "pk").values_list("terminal", "before"))
    return {pk: found.get(pk, Lifecycle.PLANNED.value) for pk in terminals}


def _return_device(terminal: Terminal, *, by: User | None, at: datetime) -> None:
    """Place the device again that the retirement removed, and revive the keys that it revoked."""
    last = Placement.objects.filter(terminal=terminal).select_related("device").first()
    if last is None or last.device.state == DeviceState.LOST:
        return
    try:
        placements.place(last.device, terminal, by=by, at=at)
    except placements.AlreadyPlaced:
        return
    revoked = Credential.objects.filter(terminal=terminal, device=last.device_id, revoked_at=terminal.lifecycle_at)
    revoked.update(revoked_at=None)
