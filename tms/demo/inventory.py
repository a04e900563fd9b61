"""What a new demo has beside the terminals that run: spare and retired devices, terminals that are not in service,
groups, and what changed in the past days.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from tms.accounts.models import User
from tms.demo.sites import MAKES
from tms.fleet.devices import placements
from tms.fleet.groups import services as groups
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import (
    Cause,
    Device,
    DeviceState,
    Group,
    IdentityChange,
    IdentityField,
    IdentitySource,
    Presence,
    Site,
    Terminal,
    TerminalKind,
    TerminalState,
)
from tms.fleet.terminals.lifecycle_changes import change_state
from tms.fleet.terminals.services import TerminalValues, create_terminal


class StoredDevice(NamedTuple):
    """A device that serves nowhere."""

    serial: str
    model: str
    state: DeviceState
    site: str
    """The code of the site where it is kept."""
    note: str = ""


STORED = (
    StoredDevice("UMD90001PAY", "PX-310", DeviceState.SPARE, "UMD", "In the back office, second shelf"),
    StoredDevice("UMD90002PAY", "PX-310", DeviceState.SPARE, "UMD"),
    StoredDevice("SJK90001KSK", "KX-21", DeviceState.SPARE, "SJK"),
    StoredDevice("HND90001GTE", "GT-7", DeviceState.IN_REPAIR, "HND", "Sensor of the left door"),
    StoredDevice("HKT80001PAY", "PX-300", DeviceState.RETIRED, "HKT", "Keys were destroyed by the maker"),
    StoredDevice("SPR80001KSK", "KX-20", DeviceState.RETIRED, "SPR"),
)
PLANNED, OUT_OF_SERVICE = ("HKT", "HKT-KSK-90"), ("NGY", "NGY-TAB-90")
"""Site and UID of the terminals that are not in service."""
GROUPS = (
    ("Self-service in Kanto", ("SJK", "HND"), TerminalKind.KIOSK),
    ("Card payment in Kansai and Kyushu", ("UMD", "HKT"), TerminalKind.PAYMENT),
)
"""Name, sites and kind of the members."""
MAX_MEMBERS = 200
SINCE = timedelta(days=6)
"""The groups exist since then."""
UPDATED_BEFORE = timedelta(days=2)
"""How long ago the kiosks with the newest firmware got it."""


@transaction.atomic
def seed_inventory(terminals: Sequence[Terminal], person: User, *, at: datetime) -> None:
    """`terminals`: those that run. Once, in a new demo."""
    sites = {site.code: site for site in Site.objects.all()}
    for stored in STORED:
        values = {"model": stored.model, "state": stored.state, "site": sites[stored.site], "note": stored.note}
        Device.objects.get_or_create(serial=stored.serial, defaults=values)
    _not_in_service(sites, person, at=at)
    for name, codes, kind in GROUPS:
        members = [one.pk for one in terminals if one.site.code in codes and one.kind == kind][:MAX_MEMBERS]
        _group(name, members, person, at=at - SINCE)
    _update_firmware(terminals, at=at - UPDATED_BEFORE)


def _not_in_service(sites: dict[str, Site], person: User, *, at: datetime) -> None:
    """One terminal that waits for its device, and one whose counter is being rebuilt."""
    code, uid = PLANNED
    if not Terminal.objects.filter(uid=uid).exists():
        values = TerminalValues(sites[code], TerminalKind.KIOSK, "Kiosk beside the new lift")
        create_terminal(uid, values, at=at - timedelta(days=1))
    code, uid = OUT_OF_SERVICE
    if Terminal.objects.filter(uid=uid).exists():
        return
    began_at, left_at = at - timedelta(days=20), at - timedelta(days=4)
    terminal = create_terminal(uid, TerminalValues(sites[code], TerminalKind.TABLET, "Table 90"), at=began_at)
    device = placements.known_device("NGY90001TAB", model="TB-8")
    placements.place(device, terminal, by=person, at=began_at)
    change_state([terminal.pk], Lifecycle.IN_SERVICE, by=person, at=began_at)
    TerminalState.objects.filter(terminal=terminal).update(
        presence=Presence.CLOSED, presence_at=left_at, last_seen_at=left_at, cause=Cause.CLOSING
    )
    comment = "The counter is being rebuilt until the end of the month"
    change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=person, at=left_at, comment=comment)
    Terminal.objects.filter(pk=terminal.pk).update(created_at=began_at)


def _group(name: str, members: Sequence[int], person: User, *, at: datetime) -> None:
    if members and not Group.objects.filter(name=name).exists():
        groups.set_members(groups.create_group(name), add=members, by=person, at=at)


def _update_firmware(terminals: Sequence[Terminal], *, at: datetime) -> None:
    """Kiosks that have the newest firmware reported the one before until then."""
    before, newest = MAKES[TerminalKind.KIOSK].firmware[0], MAKES[TerminalKind.KIOSK].firmware[-1]
    updated = [one for one in terminals if one.kind == TerminalKind.KIOSK and one.firmware == newest]
    IdentityChange.objects.bulk_create(
        IdentityChange(
            terminal=one,
            at=at + timedelta(seconds=40 * number),
            field=IdentityField.FIRMWARE,
            before=before,
            after=newest,
            source=IdentitySource.BOOT,
        )
        for number, one in enumerate(updated)
    )
