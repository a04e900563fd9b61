"""Terminals of release 1.0 get devices, regions and lifecycle states."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from tests.support import people
from tests.support.builders import AT, later
from tms.fleet.models import (
    Credential,
    Device,
    DeviceState,
    IdentityChange,
    Lifecycle,
    Placement,
    Presence,
    Region,
    Site,
    Terminal,
)

pytestmark = [pytest.mark.both, pytest.mark.django_db]

migration = import_module("tms.fleet.migrations.0003_fill_devices")
SEEN = {"presence": Presence.OFFLINE, "presence_at": AT, "last_seen_at": AT}
NEVER: dict[str, Any] = {}
EXPIRED, VALID = AT - timedelta(days=30), AT + timedelta(days=36_500)


def old(fleet, *, serial: str = "", state: dict[str, Any] = SEEN, keys: tuple[dict[str, Any], ...] = ({},)) -> Terminal:
    """A terminal as release 1.0 stored it: without a device."""
    [terminal] = fleet.terminals(1, serial=serial, model="KX-20", **state)
    for number, fields in enumerate(keys):
        Credential.objects.create(terminal=terminal, digest=f"{terminal.pk}-{number}", **fields)
    return terminal


def migrate() -> None:
    for step in (migration.fill_regions, migration.fill_devices, migration.fill_lifecycle):
        step(apps, None)


def device_of(terminal: Terminal) -> Device:
    return Placement.objects.open().get(terminal=terminal).device


def test_each_terminal_gets_a_device_with_its_serial_number_model_and_keys(fleet):
    terminals = [old(fleet, serial="S-1"), old(fleet), old(fleet)]

    migrate()

    devices = [device_of(terminal) for terminal in terminals]
    assert [(one.serial, one.model, one.state) for one in devices] == [
        (serial, "KX-20", DeviceState.IN_SERVICE) for serial in ("S-1", "", "")
    ]
    assert {one.site for one in devices} == {fleet.site()}
    assert list(Placement.objects.order_by("terminal").values_list("began_at", flat=True)) == [
        one.created_at for one in terminals
    ]
    assert dict(Credential.objects.values_list("terminal", "device")) == {
        terminal.pk: device.pk for terminal, device in zip(terminals, devices, strict=True)
    }


def test_a_serial_number_of_several_terminals_stays_with_the_one_that_was_seen_last(fleet):
    never = old(fleet, serial="S-1", state=NEVER)
    last = old(fleet, serial="S-1", state=SEEN | {"last_seen_at": later(60)})
    first = old(fleet, serial="S-1")

    migrate()

    assert [device_of(terminal).serial for terminal in (never, last, first)] == ["", "S-1", ""]
    assert list(Terminal.objects.values_list("serial", flat=True)) == ["S-1"] * 3


def test_a_serial_number_that_is_a_devices_already_is_not_given_twice(fleet):
    Device.objects.create(serial="S-1")
    terminal = old(fleet, serial="S-1")

    migrate()

    assert device_of(terminal).serial == ""


@pytest.mark.parametrize(
    ("state", "keys", "becomes", "since"),
    [
        (SEEN, ({},), Lifecycle.IN_SERVICE, None),
        (SEEN, ({"expires_at": VALID},), Lifecycle.IN_SERVICE, None),
        (SEEN, ({"revoked_at": later(60)}, {}), Lifecycle.IN_SERVICE, None),
        (SEEN, ({"revoked_at": later(60)}, {"revoked_at": later(30)}), Lifecycle.OUT_OF_SERVICE, later(60)),
        (SEEN, ({"expires_at": EXPIRED}, {"revoked_at": later(-9_000_000)}), Lifecycle.OUT_OF_SERVICE, EXPIRED),
        (SEEN, ({"revoked_at": later(60), "expires_at": VALID},), Lifecycle.OUT_OF_SERVICE, later(60)),
        (SEEN, (), Lifecycle.IN_SERVICE, None),
        (NEVER, ({},), Lifecycle.PLANNED, None),
        (NEVER, ({"revoked_at": later(60)},), Lifecycle.PLANNED, None),
        (NEVER, (), Lifecycle.PLANNED, None),
    ],
)
def test_never_seen_is_planned_and_without_a_valid_key_out_of_service(fleet, state, keys, becomes, since):
    terminal = old(fleet, state=state, keys=keys)

    migrate()

    terminal.refresh_from_db()
    assert (terminal.lifecycle, terminal.lifecycle_at) == (becomes, since)
    recorded = IdentityChange.objects.filter(terminal=terminal).values_list("field", "before", "after", "at")
    expected = [("lifecycle", "in_service", "out_of_service", since)] if since else []
    assert list(recorded) == expected


def test_regions_are_the_names_at_sites_and_grants(fleet):
    Site.objects.create(code="OSK", name="Osaka", region="Kansai")
    Site.objects.create(code="NRT", name="Narita")
    people.grant(people.person("mori", of=None), "Viewer", region="Tohoku")
    Region.objects.all().delete()
    Region.objects.create(name="Kansai", name_ja="関西")

    migrate()

    assert list(Region.objects.values_list("name", "name_ja")) == [("Kansai", "関西"), ("Tohoku", "")]


def test_running_it_again_changes_nothing(fleet):
    old(fleet, serial="S-1"), old(fleet, keys=({"revoked_at": later(60)},)), old(fleet, state=NEVER)
    migrate()
    before = [list(model.objects.order_by("pk").values()) for model in (Terminal, Device, Placement, IdentityChange)]

    migrate()

    assert before == [
        list(model.objects.order_by("pk").values()) for model in (Terminal, Device, Placement, IdentityChange)
    ]
