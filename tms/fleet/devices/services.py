"""Services for devices that people register and edit. What a device does at terminals is in `placements`."""

from dataclasses import dataclass

from django.db import transaction

from tms.accounts.audit import recorder
from tms.fleet.devices.placements import AlreadyPlaced
from tms.fleet.models import Device, DeviceState, Placement, Site, Terminal

FIXED = ("serial", "state", "site")
"""What only a replacement changes while a device serves."""


@dataclass(frozen=True, slots=True)
class DeviceValues:
    """What people set of a device."""

    serial: str = ""
    manufacturer: str = ""
    model: str = ""
    state: DeviceState = DeviceState.SPARE
    site: Site | None = None
    note: str = ""


def create_device(values: DeviceValues) -> Device:
    """The serial number must be free: IntegrityError."""
    device = Device(**_columns(values))
    with recorder.change(device):
        device.save(force_insert=True)
    return device


@transaction.atomic
def edit_device(device: Device, values: DeviceValues) -> None:
    """Raises AlreadyPlaced if it serves and one of `FIXED` would change, and IntegrityError for a serial number that
    another device has.
    """
    stored = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    columns = _columns(values)
    placed = Placement.objects.open().filter(device=stored).select_related("terminal").first()
    if placed and any(columns[name] != getattr(stored, name) for name in FIXED):
        raise AlreadyPlaced(placed)
    with recorder.change(device):
        for name, value in columns.items():
            setattr(device, name, value)
        device.save()


def terminal_of(serial: str) -> Terminal | None:
    """The terminal as which the device with this serial number serves now."""
    found = Placement.objects.open().filter(device__serial=serial).exclude(device__serial="")
    placed = found.select_related("terminal").first()
    return placed.terminal if placed else None


def _columns(values: DeviceValues) -> dict[str, object]:
    return {name: getattr(values, name) for name in DeviceValues.__slots__}
