"""What follows when terminals report another serial number: a first device is placed, another one is unexpected."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from tms.fleet.devices import placements
from tms.fleet.identity.boots import BootFacts, ChangedBoot
from tms.fleet.models import Device, Placement, Terminal, UnexpectedDevice
from tms.fleet.models.unexpected_device import Decision

UNEXPECTED_DEVICE, EXPECTED_DEVICE = "tms.unexpected_device", "tms.expected_device"
"""Events of a terminal, for rules and its timeline: the second clears what the first opened."""

MAX_UNDECIDED = 5
"""Unexpected devices of one terminal that wait for a decision; the newest ones."""


class DeviceNotice(NamedTuple):
    """A device is unexpected, or the expected one is back."""

    terminal_id: int
    is_expected: bool
    text: str


def follow(changed: Iterable[ChangedBoot], *, keys: Mapping[int, int], at: datetime) -> list[DeviceNotice]:
    """Place new devices, and record those that should not be there. Their reports are stored all the same.

    `keys`: the credential of each terminal's link. Call it in the transaction that locks the link states.
    """
    changed = list(changed)
    _learn_models({boot.facts.terminal_id: boot.facts for boot in changed if boot.facts.model})
    boots = [boot for boot in changed if boot.facts.serial and boot.facts.serial != boot.serial_before]
    if not boots:
        return []
    placed = _placed([boot.facts.terminal_id for boot in boots])
    notices = (
        _follow(boot.facts, placed.get(boot.facts.terminal_id), keys.get(boot.facts.terminal_id), at) for boot in boots
    )
    return [notice for notice in notices if notice is not None]


def notice_seen(terminal_id: int, serial: str, *, at: datetime) -> DeviceNotice | None:
    """A person read another serial number on the device of a terminal: it is to be decided as if it had connected.

    None if the placed device has this number. Call it in the transaction that locks the link state.
    """
    expected = _placed([terminal_id]).get(terminal_id)
    if expected is not None and expected.serial == serial:
        return None
    seen = BootFacts(terminal_id, serial, "", "", "", None)
    return _notice(seen, expected, _serving(serial), None, at)


def withdraw_seen(terminal_id: int, serial: str, *, at: datetime) -> DeviceNotice | None:
    """The person had misread the number. None if the device connected as well, or another one is undecided."""
    undecided = UnexpectedDevice.objects.undecided().filter(terminal=terminal_id)
    misread = undecided.filter(serial=serial, credential=None, address=None)
    if not misread.update(decision=Decision.GONE, decided_at=at) or undecided.exists():
        return None
    return DeviceNotice(terminal_id, True, f"device {serial} was misread")


def _learn_models(boots: Mapping[int, BootFacts]) -> None:
    """Placed devices of which people entered only the serial number report their model."""
    if not boots:
        return
    placed = Placement.objects.open().filter(terminal__in=boots, device__model="").select_related("device")
    for placement in placed:
        boot = boots[placement.terminal_id]
        if placement.device.serial == boot.serial:
            Device.objects.filter(pk=placement.device_id).update(model=boot.model)


def _placed(terminals: Collection[int]) -> dict[int, Device]:
    rows = Placement.objects.open().filter(terminal__in=terminals).select_related("device")
    return {placement.terminal_id: placement.device for placement in rows}


def _follow(boot: BootFacts, expected: Device | None, key: int | None, at: datetime) -> DeviceNotice | None:
    if expected is not None and expected.serial == boot.serial:
        return _returned(boot, at)
    known = _serving(boot.serial)
    if known is None and (expected is None or not expected.serial):
        _identify(boot, expected, at)
        return None
    return _notice(boot, expected, known, key, at)


def _serving(serial: str) -> Placement | None:
    """Where the device with this serial number is placed."""
    return Placement.objects.open().filter(device__serial=serial).select_related("terminal").first()


def _notice(
    boot: BootFacts, expected: Device | None, known: Placement | None, key: int | None, at: datetime
) -> DeviceNotice:
    _record(boot, expected, known.terminal if known else None, key, at)
    where = f", which serves as {known.terminal.uid}" if known else ""
    wanted = f" instead of {expected.serial}" if expected and expected.serial else ""
    return DeviceNotice(boot.terminal_id, False, f"device {boot.serial}{where}{wanted}")


def _identify(boot: BootFacts, expected: Device | None, at: datetime) -> None:
    """The first serial number of a terminal: it becomes that of its device."""
    stored = Device.objects.filter(serial=boot.serial).first()
    if expected is not None and stored is None:
        Device.objects.filter(pk=expected.pk).update(serial=boot.serial, model=boot.model or expected.model)
        return
    terminal = Terminal.objects.get(pk=boot.terminal_id)
    if expected is not None:  # the same device, which was known by its number before
        assert stored is not None
        Placement.objects.filter(device=expected).update(device=stored)
        expected.credentials.update(device=stored)
        Device.objects.filter(pk=stored.pk).update(state=expected.state, site=expected.site_id)
        expected.delete()
        return
    placements.place(placements.known_device(boot.serial, model=boot.model), terminal, by=None, at=at)


def _record(
    boot: BootFacts, expected: Device | None, serves_as: Terminal | None, key: int | None, at: datetime
) -> None:
    undecided = UnexpectedDevice.objects.undecided().filter(terminal=boot.terminal_id)
    if undecided.filter(serial=boot.serial).update(last_seen_at=at, address=boot.address):
        return
    # A device that reports another number at each boot must not fill the table. The history of identity has them all.
    newest = undecided.order_by("-last_seen_at", "-pk").values_list("pk", flat=True)[: MAX_UNDECIDED - 1]
    undecided.exclude(pk__in=list(newest)).delete()
    UnexpectedDevice.objects.create(
        terminal_id=boot.terminal_id,
        serial=boot.serial,
        model=boot.model,
        address=boot.address,
        expected_serial=expected.serial if expected else "",
        serves_as=serves_as,
        credential_id=key,
        first_seen_at=at,
        last_seen_at=at,
    )


def _returned(boot: BootFacts, at: datetime) -> DeviceNotice | None:
    """The placed device is back: nothing is left to decide."""
    undecided = UnexpectedDevice.objects.undecided().filter(terminal=boot.terminal_id)
    if not undecided.update(decision=Decision.GONE, decided_at=at):
        return None
    return DeviceNotice(boot.terminal_id, True, f"device {boot.serial} is back")
