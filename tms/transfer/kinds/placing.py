"""Devices of terminals in files: a serial number places a device at a terminal that has none yet."""

from collections.abc import Iterable, Sequence
from itertools import batched

import msgspec

from tms.fleet.models import Device, DeviceState, Placement, Terminal
from tms.lib.db import rows as db_rows
from tms.transfer.kinds.base import BATCH, Reach, Work
from tms.transfer.rows import FileRow


class SerialUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    serial: str


class ModelUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    model: str


class WhereUpdate(msgspec.Struct, frozen=True, gc=False):
    id: int
    state: str
    site_id: int | None


def _placed(rows: Iterable[FileRow]) -> list[FileRow]:
    return [row for row in rows if row.after.get("serial")]


def check(rows: Sequence[FileRow], reach: Reach) -> None:
    """Refuse a serial number if its device serves elsewhere, or if the terminal has another device."""
    for some in batched(_placed(rows), BATCH):
        pks = [row.pk for row in some if row.pk is not None]
        opened = Placement.objects.open().select_related("device", "terminal")
        of_terminal = {placement.terminal_id: placement.device for placement in opened.filter(terminal__in=pks)}
        serials = {row.after["serial"] for row in some}
        devices = {device.serial: device.pk for device in Device.objects.filter(serial__in=serials)}
        serving = {placement.device.serial: placement for placement in opened.filter(device__serial__in=serials)}
        permitted = reach.permitted(Device.objects.filter(serial__in=serials))
        for row in some:
            _check(row, of_terminal, serving, unknown={s for s, pk in devices.items() if pk not in permitted})


def _check(row: FileRow, of_terminal: dict[int, Device], serving: dict[str, Placement], *, unknown: set[str]) -> None:
    serial = row.after["serial"]
    device = of_terminal.get(row.pk) if row.pk is not None else None
    if device is not None and device.serial not in ("", serial):
        row.refuse("serial", serial, "other-device", serial=device.serial)
    elif serial in unknown:
        row.refuse("serial", serial, "taken")
    elif serial in serving and serving[serial].terminal_id != row.pk:
        row.refuse("serial", serial, "device-placed", uid=serving[serial].terminal.uid)


def place(rows: Sequence[FileRow], work: Work) -> None:
    """Place the devices with these serial numbers, new ones where there are none."""
    for some in batched(_placed(rows), BATCH):
        _name_placed_devices(some)
        unplaced = _without_device(some)
        devices = _devices(unplaced, work)
        made = Placement.objects.bulk_create(
            Placement(device=device, terminal_id=row.stored_pk, began_at=work.at, placed_by=work.by)
            for row, device in zip(unplaced, devices, strict=True)
        )
        for row, placement in zip(unplaced, made, strict=True):
            row.made["placement"] = placement.pk
        db_rows.update(Terminal, [SerialUpdate(row.stored_pk, row.after["serial"]) for row in some])
        _copy_models(devices, unplaced)


def _without_device(rows: Sequence[FileRow]) -> list[FileRow]:
    placed = Placement.objects.open().filter(terminal__in=[row.pk for row in rows])
    taken = set(placed.values_list("terminal", flat=True))
    return [row for row in rows if row.pk not in taken]


def _name_placed_devices(rows: Sequence[FileRow]) -> None:
    """A placed device without a serial number gets it."""
    serials = {row.pk: row.after["serial"] for row in rows}
    placed = Placement.objects.open().filter(terminal__in=serials, device__serial="").select_related("device")
    devices = []
    for placement in placed:
        placement.device.serial = serials[placement.terminal_id]
        devices.append(placement.device)
    db_rows.update(Device, [SerialUpdate(device.pk, device.serial) for device in devices])


def _devices(rows: Sequence[FileRow], work: Work) -> list[Device]:
    """The device of each row, in service at the site of its terminal."""
    serials = {row.after["serial"] for row in rows}
    known = {device.serial: device for device in Device.objects.filter(serial__in=serials)}
    sites = dict(Terminal.objects.filter(pk__in=[row.pk for row in rows]).order_by().values_list("pk", "site"))
    new = [Device(serial=serial, state=DeviceState.IN_SERVICE) for serial in sorted(serials - known.keys())]
    for device in Device.objects.bulk_create(new):
        known[device.serial] = device
    fresh = {device.serial for device in new}
    for row in rows:
        device = known[row.after["serial"]]
        if device.serial in fresh:
            row.made["device"] = device.pk
        else:
            row.made["was"] = [device.state, device.site_id]
        device.state, device.site_id = DeviceState.IN_SERVICE, sites[row.stored_pk]
    devices = [known[row.after["serial"]] for row in rows]
    db_rows.update(Device, [WhereUpdate(device.pk, device.state, device.site_id) for device in devices])
    return devices


def _copy_models(devices: Iterable[Device], rows: Sequence[FileRow]) -> None:
    """A terminal shows the model of its device."""
    pairs = zip(rows, devices, strict=True)
    db_rows.update(Terminal, [ModelUpdate(row.stored_pk, device.model) for row, device in pairs if device.model])


def undo(rows: Sequence[FileRow], work: Work) -> None:
    """Remove the placements that an import made, and its new devices. Others are what and where they were."""
    for some in batched([row for row in rows if "placement" in row.made], BATCH):
        by_placement = {row.made["placement"]: row for row in some}
        placements = Placement.objects.filter(pk__in=by_placement)
        devices = {placement.device_id: by_placement[placement.pk] for placement in placements}
        placements.delete()
        kept = []
        for pk, row in devices.items():
            state, site = row.made.get("was", [DeviceState.SPARE.value, None])
            kept.append(WhereUpdate(pk, state, site))
        db_rows.update(Device, kept)
        made = {row.made["device"] for row in some if "device" in row.made}
        Device.objects.filter(pk__in=made & devices.keys(), placements=None, credentials=None).delete()
    for some in batched([row for row in rows if "serial" in row.before and row.pk is not None], BATCH):
        db_rows.update(Terminal, [SerialUpdate(row.stored_pk, row.before["serial"]) for row in some])
