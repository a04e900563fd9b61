"""Lifecycle states of terminals in files. They change by the services that pages use, many terminals at once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import batched

from tms.fleet.lifecycle import CHANGES, Lifecycle
from tms.fleet.models import DeviceState, Terminal
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals.lifecycle_changes import BRING_BACK_WITHIN
from tms.transfer.kinds.base import BATCH, Reach, Work
from tms.transfer.rows import FileRow


def state_before(row: FileRow) -> Lifecycle:
    """New terminals are planned first."""
    return Lifecycle(row.before.get("lifecycle", Lifecycle.PLANNED))


def _changed(rows: Iterable[FileRow]) -> list[FileRow]:
    return [row for row in rows if row.after.get("lifecycle", state_before(row)) != state_before(row)]


def check(rows: Sequence[FileRow], reach: Reach) -> None:
    """Refuse states that cannot follow the present one, and devices for terminals that are retired."""
    for some in batched(_changed(rows), BATCH):
        returning = _returning([row.stored_pk for row in some if state_before(row) == Lifecycle.RETIRED], reach)
        for row in some:
            before, to = state_before(row), row.after["lifecycle"]
            possible = CHANGES[before] if before != Lifecycle.RETIRED else returning.get(row.stored_pk, ())
            if to not in possible:
                row.refuse(
                    "lifecycle", to, "bad-lifecycle" if possible else "retired-for-good", possible=", ".join(possible)
                )
    _check_devices(rows)


def check_reverting(rows: Sequence[FileRow], reach: Reach) -> None:
    """Refuse to plan terminals again that connected since, and to bring back those of a site that was closed."""
    for some in batched(_changed(rows), BATCH):
        retired = [row for row in some if state_before(row) == Lifecycle.RETIRED]
        returning = _returning([row.stored_pk for row in retired], reach)
        for row in retired:
            if row.stored_pk not in returning:
                row.refuse("lifecycle", row.after["lifecycle"], "retired-for-good")
        planned = [row for row in some if row.after["lifecycle"] == Lifecycle.PLANNED]
        terminals = Terminal.objects.filter(pk__in=[row.pk for row in planned]).exclude(state__last_seen_at=None)
        seen = set(terminals.order_by().values_list("pk", flat=True))
        for row in planned:
            if row.pk in seen and state_before(row) == Lifecycle.IN_SERVICE:
                row.refuse("lifecycle", Lifecycle.PLANNED, "bad-lifecycle", possible=Lifecycle.IN_SERVICE)


def _returning(pks: Collection[int], reach: Reach) -> dict[int, tuple[str, ...]]:
    """The state to which each retired terminal may return: the one that it had."""
    if not pks:
        return {}
    terminals = Terminal.objects.filter(pk__in=pks, lifecycle_at__gte=reach.at - BRING_BACK_WITHIN)
    recent = set(terminals.filter(site__closed_at=None).order_by().values_list("pk", flat=True))
    return {pk: (state,) for pk, state in lifecycle_changes.states_before(recent).items()}


def _check_devices(rows: Iterable[FileRow]) -> None:
    """A retired terminal has no device: one is placed before it is retired, or after it was brought back."""
    with_device = [row for row in rows if row.after.get("serial")]
    for some in batched(with_device, BATCH):
        retired = Terminal.objects.filter(pk__in=[row.pk for row in some if row.pk], lifecycle=Lifecycle.RETIRED)
        pks = set(retired.order_by().values_list("pk", flat=True))
        for row in some:
            if row.pk in pks or row.after.get("lifecycle") == Lifecycle.RETIRED:
                row.refuse("serial", row.after["serial"], "device-retired")


def write(rows: Iterable[FileRow], work: Work) -> None:
    """Change the states of stored terminals. Devices of retired ones become spare."""
    by_change: defaultdict[tuple[Lifecycle, Lifecycle], list[int]] = defaultdict(list)
    for row in _changed(rows):
        by_change[state_before(row), Lifecycle(row.after["lifecycle"])].append(row.stored_pk)
    for (before, to), pks in by_change.items():
        for some in batched(pks, BATCH):
            _service(before, to)(some, by=work.by, at=work.at, source=work.source)


def _service(before: Lifecycle, to: Lifecycle) -> Callable[..., int]:
    if before == Lifecycle.RETIRED:
        return lifecycle_changes.bring_back
    if to == Lifecycle.RETIRED:
        return partial(lifecycle_changes.retire, device_becomes=DeviceState.SPARE)
    if to == Lifecycle.PLANNED:
        return lifecycle_changes.plan_again
    return partial(lifecycle_changes.change_state, to=to)
