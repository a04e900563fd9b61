"""Which device serves as which terminal: place, remove, replace, swap.

Each ends and begins rows of `Placement` in one transaction. History, alerts, availability and groups belong to the
terminal, and stay with it; keys belong to the device, and go with it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Value
from django.db.models.functions import Greatest

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.credentials import services as credentials
from tms.fleet.identity import history
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Credential, Device, DeviceState, IdentitySource, Placement, Terminal
from tms.fleet.presence import store
from tms.protocol.credential import PlainCredential

ADOPTED_AT_ONCE = 1_000
KNOWN = ("serial", "model")
"""Facts of a device that its terminal shows."""


class AlreadyPlaced(Exception):
    """The device serves as another terminal."""

    code = "tms:device-placed"

    def __init__(self, placement: Placement) -> None:
        super().__init__(f"the device serves as {placement.terminal.uid}; replace or swap it there")
        self.placement = placement


class NoDevice(Exception):
    """The terminal has no device."""

    code = "tms:no-device"

    def __init__(self, uid: str) -> None:
        super().__init__(f"{uid} has no device; replace it instead")
        self.uid = uid


class Replacement(NamedTuple):
    device: Device
    removed: Device | None
    credential: PlainCredential


def device_of(terminal: Terminal) -> Device | None:
    placement = Placement.objects.open().filter(terminal=terminal).select_related("device").first()
    return placement.device if placement else None


def known_device(serial: str, *, model: str = "", manufacturer: str = "") -> Device:
    """The device with this serial number, created if there is none. Without a serial number always a new one."""
    values = {"model": model, "manufacturer": manufacturer}
    if not serial:
        return Device.objects.create(**values)
    device, _ = Device.objects.get_or_create(serial=serial, defaults=values)
    return device


@transaction.atomic
def place(device: Device, terminal: Terminal, *, by: User | None, at: datetime) -> Placement:
    """Place a device at a terminal that has none. Raises AlreadyPlaced if it serves as another."""
    Device.objects.select_for_update().get(pk=device.pk)  # two people place it one after the other
    if placed := Placement.objects.open().filter(device=device).select_related("terminal").first():
        raise AlreadyPlaced(placed)
    Device.objects.filter(pk=device.pk).update(state=DeviceState.IN_SERVICE, site=terminal.site_id)
    placement = Placement.objects.create(device=device, terminal=terminal, began_at=at, placed_by=by)
    # The model of the device before is not that of this one, which reports its own when it connects.
    facts = {name: getattr(device, name) for name in KNOWN} if device.serial else {}
    if facts:
        Terminal.objects.filter(pk=terminal.pk).update(**facts)
        for name, value in facts.items():
            setattr(terminal, name, value)
    return placement


@transaction.atomic
def remove(terminal: Terminal, *, becomes: DeviceState, at: datetime) -> Device | None:
    """Remove the device from its terminal, and revoke its keys. Returns the device, if there was one."""
    credentials.revoke(Credential.objects.filter(terminal=terminal), at=at)
    return end_placement(terminal, becomes=becomes, at=at)


@transaction.atomic
def remove_all(terminals: Collection[int], *, becomes: DeviceState, at: datetime) -> None:
    """Remove the devices of many terminals, and revoke their keys."""
    credentials.revoke(Credential.objects.filter(terminal__in=terminals), at=at)
    placed = list(Placement.objects.open().filter(terminal__in=terminals).order_by("pk"))
    _end(placed, at=at)
    Device.objects.filter(pk__in=[placement.device_id for placement in placed]).update(state=becomes)


def end_placement(terminal: Terminal, *, becomes: DeviceState, at: datetime) -> Device | None:
    """The device serves as the terminal no more; its keys stay valid. Returns the device, if there was one."""
    placement = Placement.objects.open().filter(terminal=terminal).select_related("device").first()
    if placement is None:
        return None
    _end([placement], at=at)
    Device.objects.filter(pk=placement.device_id).update(state=becomes)
    return placement.device


@transaction.atomic
def replace(
    terminal: Terminal,
    device: Device,
    *,
    removed_becomes: DeviceState,
    by: User | None,
    at: datetime,
    comment: str = "",
    source: IdentitySource = IdentitySource.PERSON,
) -> Replacement:
    """Exchange the terminal's device for `device`, which gets a key. Raises AlreadyPlaced and Retired."""
    removed = exchange(terminal, device, removed_becomes=removed_becomes, by=by, at=at, comment=comment, source=source)
    return Replacement(device, removed, credentials.issue(terminal, device=device))


@transaction.atomic
def exchange(
    terminal: Terminal,
    device: Device,
    *,
    removed_becomes: DeviceState,
    by: User | None,
    at: datetime,
    comment: str = "",
    source: IdentitySource = IdentitySource.PERSON,
) -> Device | None:
    """Put `device` in the place of the terminal's device, whose keys are revoked. It has no key of the terminal yet.

    Returns the removed device, if there was one. Raises AlreadyPlaced and Retired.
    """
    store.lock([terminal.pk])
    credentials.check_not_retired(terminal)
    with history.recording([terminal.pk], by=by, at=at, source=source):
        removed = remove(terminal, becomes=removed_becomes, at=at)
        place(device, terminal, by=by, at=at)
    action = "device-replaced" if removed else "device-placed"
    recorder.record(action, terminal, {"device": (_name(removed), _name(device))}, comment=comment)
    publish(Change(terminals=frozenset({terminal.pk})))
    return removed


@transaction.atomic
def swap(one: Terminal, other: Terminal, *, by: User | None, at: datetime, comment: str = "") -> None:
    """Exchange the devices of two terminals. Their keys go with them. Raises NoDevice if one of them has none."""
    pks = sorted((one.pk, other.pk))
    store.lock(pks)
    placements = {
        placement.terminal_id: placement
        for placement in Placement.objects.open().filter(terminal__in=pks).select_related("device").order_by("pk")
    }
    if len(placements) != len(pks):
        bare = next(terminal.uid for terminal in (one, other) if terminal.pk not in placements)
        raise NoDevice(bare)
    with history.recording(pks, by=by, at=at):
        _end(list(placements.values()), at=at)
        for terminal, origin in ((one, other), (other, one)):
            place(placements[origin.pk].device, terminal, by=by, at=at)
    _move_keys({one.pk: placements[other.pk].device_id, other.pk: placements[one.pk].device_id})
    for terminal, origin in ((one, other), (other, one)):
        change = {"device": (_name(placements[terminal.pk].device), _name(placements[origin.pk].device))}
        recorder.record("device-swapped", terminal, change, comment=comment)
    publish(Change(terminals=frozenset(pks)))


def adopt(at: datetime) -> int:
    """Give a device to each terminal that never had one: the previous release enrols terminals without."""
    placed = Placement.objects.filter(terminal=OuterRef("pk"))
    missing = Terminal.objects.filter(~Exists(placed)).exclude(lifecycle__in=(Lifecycle.PLANNED, Lifecycle.RETIRED))
    terminals = list(missing.order_by("pk")[:ADOPTED_AT_ONCE])
    for terminal in terminals:
        with transaction.atomic():
            store.lock([terminal.pk])
            known = Device.objects.filter(serial=terminal.serial).exclude(serial="").exists()
            device = known_device("" if known else terminal.serial, model=terminal.model)
            place(device, terminal, by=None, at=at)
            Credential.objects.filter(terminal=terminal, device=None).update(device=device)
    return len(terminals)


def _move_keys(device_by_terminal: dict[int, int]) -> None:
    """The keys of each device become keys of its new terminal. Their links close, and the devices connect again."""
    moved = list(Credential.objects.filter(device__in=device_by_terminal.values(), revoked_at=None))
    terminal_of = {device: terminal for terminal, device in device_by_terminal.items()}
    for key in moved:
        assert key.device_id is not None
        key.terminal_id = terminal_of[key.device_id]
    Credential.objects.bulk_update(moved, ["terminal"])
    keys = frozenset(key.pk for key in moved)
    publish(Change(revoked=keys, moved=keys))


def _end(placements: list[Placement], *, at: datetime) -> None:
    ended = Placement.objects.filter(pk__in=[placement.pk for placement in placements])
    ended.update(ended_at=Greatest(Value(at, models.DateTimeField()), F("began_at")))


def _name(device: Device | None) -> str | None:
    return str(device) if device else None
