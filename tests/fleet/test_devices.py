"""Devices and their placements: replaced, swapped, unexpected."""

import pytest

from tests.support.builders import AT, Link, later
from tests.support.credentials import find_key
from tms.alerts.models import Alert
from tms.fleet.credentials import services as credentials
from tms.fleet.devices import placements, undo, unexpected
from tms.fleet.devices.connected import MAX_UNDECIDED
from tms.fleet.enrolment import tokens
from tms.fleet.identity import boots
from tms.fleet.models import Credential, Device, DeviceState, IdentityChange, Placement, Terminal, UnexpectedDevice
from tms.fleet.models.unexpected_device import Decision
from tms.fleet.terminals.lifecycle_changes import retire
from tms.ingest import commit
from tms.lib.hashing import hash_token
from tms.telemetry.models import Event

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def device_of(terminal: Terminal) -> str:
    return Placement.objects.open().get(terminal=terminal).device.serial


def boot(terminal: Terminal, serial: str, *, seconds: float = 0, boot_id: str = "boot-1") -> None:
    key = terminal.credentials.values_list("pk", flat=True).last() or 0
    commit.write([Link(terminal, credential_id=key).boot(boot_id, at=later(seconds), serial=serial, model="KX-21")])


def facts_changed(terminal: Terminal) -> list[tuple[str, object, object, str]]:
    rows = IdentityChange.objects.filter(terminal=terminal).order_by("pk")
    return list(rows.values_list("field", "before", "after", "source"))


def test_the_first_serial_number_of_a_terminal_becomes_that_of_its_device(fleet):
    terminal = fleet.terminal()

    boot(terminal, "S-1")

    assert device_of(terminal) == "S-1"
    assert ("serial", "", "S-1", "boot") in facts_changed(terminal)
    assert not UnexpectedDevice.objects.exists()


def test_a_terminal_that_was_never_placed_gets_the_device_that_connects(fleet):
    [terminal] = fleet.terminals(1)

    boot(terminal, "S-1")

    assert device_of(terminal) == "S-1"


def test_a_boot_that_reports_the_same_records_nothing(fleet):
    terminal = fleet.terminal()
    boot(terminal, "S-1")
    before = facts_changed(terminal)

    boot(terminal, "S-1", seconds=60, boot_id="boot-2")

    assert facts_changed(terminal) == before


def test_of_a_firmware_that_changes_at_each_boot_the_newest_changes_of_a_day_are_kept(fleet, monkeypatch):
    monkeypatch.setattr(boots, "MAX_A_DAY", 3)
    terminal, other = fleet.terminal(), fleet.terminal()
    commit.write([Link(other).boot("boot-1", at=AT, firmware="1.0")])

    for hours in (0, 1, 2, 3, 26):
        commit.write([Link(terminal).boot(f"boot-{hours}", at=later(hours * 3_600), firmware=f"4.{hours}")])

    kept = IdentityChange.objects.filter(field="firmware").order_by("pk")
    assert list(kept.filter(terminal=terminal).values_list("after", flat=True)) == ["4.1", "4.2", "4.3", "4.26"]
    assert kept.filter(terminal=other).count() == 1


def test_a_device_known_by_its_serial_number_alone_reports_its_model(fleet):
    terminal = fleet.terminal()
    boot(terminal, "S-1")

    placements.replace(
        terminal, placements.known_device("S-2"), removed_becomes=DeviceState.SPARE, by=None, at=later(30)
    )
    terminal.refresh_from_db()
    model_before = terminal.model
    boot(terminal, "S-2", seconds=60, boot_id="boot-2")

    assert model_before == ""
    assert Device.objects.get(serial="S-2").model == "KX-21"


def test_another_device_is_recorded_and_its_boot_accepted(fleet):
    terminal = fleet.terminal(kind="payment")
    rule = fleet.event_rule("tms.unexpected_device", "tms.expected_device", severity="critical")
    boot(terminal, "S-1")

    boot(terminal, "S-2", seconds=60)

    found = UnexpectedDevice.objects.get()
    assert (found.serial, found.expected_serial, found.serves_as, found.decision) == ("S-2", "S-1", None, "")
    assert device_of(terminal) == "S-1"
    assert Event.objects.get().text == "device S-2 instead of S-1"
    assert Alert.objects.get(rule=rule).terminal == terminal


def test_a_device_with_another_number_at_each_boot_leaves_a_few_to_decide(fleet):
    terminal = fleet.terminal()
    for number in range(MAX_UNDECIDED + 5):
        boot(terminal, f"S-{number}", seconds=number, boot_id=f"boot-{number}")

    found = UnexpectedDevice.objects.undecided().order_by("first_seen_at").values_list("serial", flat=True)

    assert list(found) == ["S-5", "S-6", "S-7", "S-8", "S-9"]


def test_a_device_that_serves_elsewhere_is_named_with_its_terminal(fleet):
    one, other = fleet.terminal(uid="ONE"), fleet.terminal(uid="OTHER")
    boot(one, "S-1")

    boot(other, "S-1", seconds=60)

    found = UnexpectedDevice.objects.get()
    assert (found.terminal, found.serves_as) == (other, one)
    assert "serves as ONE" in Event.objects.get().text


def test_nothing_is_left_to_decide_when_the_placed_device_is_back(fleet):
    terminal = fleet.terminal()
    rule = fleet.event_rule("tms.unexpected_device", "tms.expected_device")
    boot(terminal, "S-1")
    boot(terminal, "S-2", seconds=60)

    boot(terminal, "S-1", seconds=120, boot_id="boot-3")

    assert UnexpectedDevice.objects.get().decision == Decision.GONE
    assert Alert.objects.get(rule=rule).state == "resolved"


def test_a_confirmed_device_is_placed_and_the_alert_resolved(fleet):
    terminal, person = fleet.terminal(), fleet.person()
    rule = fleet.event_rule("tms.unexpected_device", "tms.expected_device")
    boot(terminal, "S-1")
    boot(terminal, "S-2", seconds=60)

    unexpected.confirm(UnexpectedDevice.objects.get(), removed_becomes=DeviceState.IN_REPAIR, by=person, at=later(120))

    assert device_of(terminal) == "S-2"
    assert Device.objects.get(serial="S-1").state == DeviceState.IN_REPAIR
    assert Alert.objects.get(rule=rule).state == "resolved"
    with pytest.raises(unexpected.AlreadyDecided):
        unexpected.block(UnexpectedDevice.objects.get(), by=person, at=later(130))


def test_after_a_confirmed_replacement_only_the_key_in_use_is_valid(fleet):
    terminal, other = fleet.terminal(), fleet.terminal()
    elsewhere = credentials.issue(other)
    boot(other, "S-2")
    of_removed = credentials.issue(terminal)
    boot(terminal, "S-1")
    in_use = credentials.issue(terminal)
    boot(terminal, "S-2", seconds=60)

    noted = UnexpectedDevice.objects.get(terminal=terminal)
    unexpected.confirm(noted, removed_becomes=DeviceState.LOST, by=fleet.person(), at=later(120))

    assert [find_key(key, at=later(121)) is not None for key in (in_use, of_removed, elsewhere)] == [True, False, False]
    assert device_of(terminal) == "S-2"


def test_a_blocked_device_loses_its_key(fleet):
    terminal = fleet.terminal()
    key = credentials.issue(terminal)
    boot(terminal, "S-1")
    boot(terminal, "S-2", seconds=60)

    unexpected.block(UnexpectedDevice.objects.get(), by=fleet.person(), at=later(120))

    assert find_key(key, at=later(121)) is None
    assert device_of(terminal) == "S-1"


def test_a_replaced_device_loses_its_key_and_the_terminal_keeps_its_history(fleet):
    terminal, person = fleet.terminal(), fleet.person()
    old_key = credentials.issue(terminal)
    boot(terminal, "S-1")
    spare = Device.objects.create(serial="S-2", model="KX-22", site=terminal.site)

    made = placements.replace(terminal, spare, removed_becomes=DeviceState.LOST, by=person, at=later(60))

    assert find_key(old_key, at=later(61)) is None
    assert find_key(made.credential, at=later(61)).identity.terminal_id == terminal.pk
    assert (device_of(terminal), made.removed.serial) == ("S-2", "S-1")
    states = dict(Device.objects.values_list("serial", "state"))
    assert states == {"S-1": DeviceState.LOST, "S-2": DeviceState.IN_SERVICE}
    terminal.refresh_from_db()
    assert (terminal.serial, terminal.model) == ("S-2", "KX-22")
    assert ("serial", "S-1", "S-2", "person") in facts_changed(terminal)


def placed(fleet) -> Terminal:
    """A terminal whose device serves since before `AT`."""
    terminal = fleet.terminal()
    Placement.objects.filter(terminal=terminal).update(began_at=later(-60))
    return terminal


def replaced(fleet) -> Terminal:
    """S-2 has replaced S-1 a minute after the first boot, and fetches its key with a token."""
    terminal = placed(fleet)
    boot(terminal, "S-1")
    spare = Device.objects.create(serial="S-2", model="KX-22", site=terminal.site)
    placements.exchange(terminal, spare, removed_becomes=DeviceState.LOST, by=None, at=later(60))
    return terminal


def test_an_undone_replacement_gives_the_device_its_place_and_its_keys_back(fleet):
    terminal = placed(fleet)
    key, revoked_before = credentials.issue(terminal), credentials.issue(terminal)
    credentials.revoke(Credential.objects.filter(digest=hash_token(revoked_before.secret)), at=later(30))
    boot(terminal, "S-1")
    spare = Device.objects.create(serial="S-2", model="KX-22", site=terminal.site)
    new_key = placements.replace(terminal, spare, removed_becomes=DeviceState.LOST, by=None, at=later(60)).credential
    token = tokens.make_token(tokens.TokenLimits(terminal=terminal), by=None, at=later(61))

    undo.undo(terminal, by=fleet.person(), at=later(120))

    assert find_key(key, at=later(121)).identity.terminal_id == terminal.pk
    assert [find_key(each, at=later(121)) for each in (new_key, revoked_before)] == [None, None]
    assert device_of(terminal) == "S-1"
    assert dict(Device.objects.values_list("serial", "state")) == {
        "S-1": DeviceState.IN_SERVICE,
        "S-2": DeviceState.SPARE,
    }
    terminal.refresh_from_db()
    assert (terminal.serial, terminal.model) == ("S-1", "KX-21")
    assert ("serial", "S-2", "S-1", "person") in facts_changed(terminal)
    with pytest.raises(tokens.TokenRefused):
        tokens.redeem(token, tokens.NewDevice("kiosk", "S-2"), at=later(121))
    with pytest.raises(undo.CannotUndo):
        undo.undo(terminal, by=fleet.person(), at=later(122))


def connect(terminal: Terminal) -> None:
    credentials.issue(terminal)
    boot(terminal, "S-2", seconds=90, boot_id="boot-2")


def place_elsewhere(terminal: Terminal) -> None:
    other = Terminal.objects.create(uid="OTHER", site=terminal.site, kind="kiosk")
    placements.place(Device.objects.get(serial="S-1"), other, by=None, at=later(90))


@pytest.mark.parametrize(
    ("happens", "at_s"),
    [(connect, 120), (place_elsewhere, 120), (lambda terminal: None, 660)],
    ids=["the new device connected", "the old device serves elsewhere", "ten minutes are over"],
)
def test_a_replacement_is_not_undone_once(fleet, happens, at_s):
    terminal = replaced(fleet)
    happens(terminal)

    with pytest.raises(undo.CannotUndo):
        undo.undo(terminal, by=fleet.person(), at=later(at_s))

    assert device_of(terminal) == "S-2"


def test_neither_a_swap_nor_a_confirmed_device_is_undone(fleet):
    one, other, confirmed = placed(fleet), placed(fleet), placed(fleet)
    for terminal, serial in ((one, "S-1"), (other, "S-2"), (confirmed, "S-3"), (confirmed, "S-4")):
        boot(terminal, serial)

    placements.swap(one, other, by=None, at=later(60))
    unexpected.confirm(UnexpectedDevice.objects.get(), removed_becomes=DeviceState.SPARE, by=None, at=later(60))

    assert [undo.undoable(terminal, at=later(61)) for terminal in (one, other, confirmed)] == [None, None, None]


def test_a_device_that_serves_elsewhere_cannot_replace(fleet):
    one, other = fleet.terminal(), fleet.terminal()
    boot(one, "S-1")

    with pytest.raises(placements.AlreadyPlaced, match=one.uid):
        placements.replace(
            other, Device.objects.get(serial="S-1"), removed_becomes=DeviceState.SPARE, by=None, at=later(60)
        )

    assert device_of(one) == "S-1"


def test_swapped_devices_keep_their_keys_and_connect_as_the_other_terminal(fleet):
    one, other = fleet.terminal(uid="ONE"), fleet.terminal(uid="OTHER")
    key_of_one, key_of_other = credentials.issue(one), credentials.issue(other)
    boot(one, "S-1")
    boot(other, "S-2")

    placements.swap(one, other, by=fleet.person(), at=later(60))

    assert (device_of(one), device_of(other)) == ("S-2", "S-1")
    assert find_key(key_of_one, at=later(61)).identity.uid == "OTHER"
    assert find_key(key_of_other, at=later(61)).identity.uid == "ONE"
    boot(one, "S-2", seconds=70, boot_id="boot-9")
    assert not UnexpectedDevice.objects.exists()


def test_a_swap_needs_a_device_at_both(fleet):
    one, [other] = fleet.terminal(), fleet.terminals(1)

    with pytest.raises(placements.NoDevice, match=other.uid):
        placements.swap(one, other, by=None, at=AT)


def test_a_retired_terminal_gets_no_device(fleet):
    terminal = fleet.terminal()
    token = tokens.make_token(tokens.TokenLimits(terminal=terminal), by=None, at=AT)
    boot(terminal, "S-1")
    boot(terminal, "S-2", seconds=60)
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=later(120))

    with pytest.raises(credentials.Retired):
        unexpected.confirm(UnexpectedDevice.objects.get(), removed_becomes=DeviceState.LOST, by=None, at=later(130))
    with pytest.raises(tokens.TokenRefused):
        tokens.redeem(token, tokens.NewDevice("kiosk", "S-3"), at=later(130))

    assert not Placement.objects.open().exists()
    assert UnexpectedDevice.objects.get().decision == Decision.NONE
