"""Takes over the list of a factory: planned terminals with their devices, whose keys are known or which get a token."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.access import permitted
from tms.accounts.audit import recorder
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.enrolment.factory_list import FactoryDevice, refuse
from tms.fleet.enrolment.tokens import TokenLimits, free_uids, make_token
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import Credential, Device, DeviceState, Placement, Site, Terminal, TerminalKind, TerminalState

AT_ONCE = 500
"""Values in a query: SQLite allows a limited number."""


class SiteToken(NamedTuple):
    site: Site
    terminals: int
    token: str


class FactoryResult(NamedTuple):
    terminals: int
    with_key: int
    """The number of devices that connect with the key that they have."""
    tokens: list[SiteToken]
    """One for each site, for the other devices."""


@transaction.atomic
def take_over(devices: Sequence[FactoryDevice], *, name: str, by: User, at: datetime) -> FactoryResult:
    """A planned terminal for each of the `devices`, all or none. `name`: that of the file.

    Raises BadList for devices or keys that exist already, and IntegrityError if others take the same numbers meanwhile.
    """
    known = _spare_devices(devices, by=by)
    _refuse_known_keys(devices)
    placed = _create(devices, known, by=by, at=at)
    facts = {"terminals": len(devices), "sites": sorted({device.site.code for device in devices})}
    subject = AuditSubject(Terminal._meta.label_lower, "", name)
    recorder.write(subject, "factory-list-read", {field: (None, fact) for field, fact in facts.items()})
    publish(Change(terminals=frozenset(placed), everything=True, rules=True))
    tokens = list(_tokens(devices, name=name, by=by, at=at))
    return FactoryResult(len(devices), sum(bool(device.digest) for device in devices), tokens)


def _spare_devices(devices: Sequence[FactoryDevice], *, by: User) -> dict[str, Device]:
    """Devices of the list that are stored already, by serial number. Others than spare ones are refused."""
    stored = {
        device.serial: device
        for serials in _parts([device.serial for device in devices])
        for device in Device.objects.select_for_update().filter(serial__in=serials)
    }
    mine = {
        device.pk
        for keys in _parts([device.pk for device in stored.values()])
        for device in permitted(
            Device.objects.filter(pk__in=keys, state=DeviceState.SPARE), by=by, permission=Permission.MANAGE_TERMINALS
        )
    }
    taken = [device for device in devices if device.serial in stored and stored[device.serial].pk not in mine]
    refuse(taken, "serial", gettext("a device with this number exists, and is not a spare one that you may place"))
    return stored


def _refuse_known_keys(devices: Sequence[FactoryDevice]) -> None:
    digests = [device.digest for device in devices if device.digest]
    known = {
        digest
        for part in _parts(digests)
        for digest in Credential.objects.filter(digest__in=part).values_list("digest", flat=True)
    }
    refuse([device for device in devices if device.digest in known], "key", gettext("another device has this key"))


def _create(devices: Sequence[FactoryDevice], known: dict[str, Device], *, by: User, at: datetime) -> list[int]:
    """Create everything in bulk: one by one, ten thousand terminals would take minutes. Returns the terminals."""
    uids = _Uids()
    terminals = Terminal.objects.bulk_create([_terminal(one, uids, at) for one in devices], batch_size=AT_ONCE)
    TerminalState.objects.bulk_create([TerminalState(terminal=one) for one in terminals], batch_size=AT_ONCE)
    new = [_device(one) for one in devices if one.serial not in known]
    hardware = known | {one.serial: one for one in Device.objects.bulk_create(new, batch_size=AT_ONCE)}
    for one in devices:
        hardware[one.serial].state, hardware[one.serial].site = DeviceState.IN_SERVICE, one.site
    Device.objects.bulk_update(known.values(), ["state", "site"], batch_size=AT_ONCE)
    pairs = [(one, terminal, hardware[one.serial]) for one, terminal in zip(devices, terminals, strict=True)]
    Placement.objects.bulk_create(
        [Placement(device=device, terminal=terminal, began_at=at, placed_by=by) for _, terminal, device in pairs],
        batch_size=AT_ONCE,
    )
    Credential.objects.bulk_create(
        [
            Credential(terminal=terminal, device=device, digest=one.digest)
            for one, terminal, device in pairs
            if one.digest
        ],
        batch_size=AT_ONCE,
    )
    return [terminal.pk for terminal in terminals]


class _Uids:
    """The next free UIDs of each site and kind."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, TerminalKind], Iterator[str]] = {}

    def next_of(self, site: Site, kind: TerminalKind) -> str:
        if (site.pk, kind) not in self._free:
            self._free[site.pk, kind] = free_uids(site, kind)
        return next(self._free[site.pk, kind])


def _terminal(one: FactoryDevice, uids: _Uids, at: datetime) -> Terminal:
    return Terminal(
        uid=uids.next_of(one.site, one.kind),
        site=one.site,
        kind=one.kind,
        label=one.label,
        serial=one.serial,
        model=one.model,
        lifecycle=Lifecycle.PLANNED,
        lifecycle_at=at,
    )


def _device(one: FactoryDevice) -> Device:
    return Device(serial=one.serial, model=one.model, site=one.site, state=DeviceState.IN_SERVICE)


def _tokens(devices: Collection[FactoryDevice], *, name: str, by: User, at: datetime) -> Iterator[SiteToken]:
    """A token for the devices of each site that have no key."""
    serials: defaultdict[Site, list[str]] = defaultdict(list)
    for device in devices:
        if not device.digest:
            serials[device.site].append(device.serial)
    for site, expected in serials.items():
        limits = TokenLimits(site, uses=len(expected), serials=expected, name=name)
        yield SiteToken(site, len(expected), make_token(limits, by=by, at=at))


def _parts[Value](values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
