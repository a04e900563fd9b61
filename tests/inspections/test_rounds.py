"""Rounds and what follows from inspections."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tests.support.alerts.rule_cache import empty_rule_cache
from tests.support.factories import now
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import AuditEntry
from tms.alerts.models import Alert
from tms.fleet.devices import placements, unexpected
from tms.fleet.devices.placements import device_of
from tms.fleet.models import DeviceState, Lifecycle, UnexpectedDevice
from tms.fleet.terminals import lifecycle_changes
from tms.inspections import services
from tms.inspections.models import DeviceSeal, Inspection, Surrounding
from tms.telemetry.models import Event

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def rules(fleet, default_rules):
    empty_rule_cache()


# Rounds


def test_a_round_has_the_terminals_in_service_with_a_device_at_its_start(fleet, placed, start):
    here = fleet.site("UMD", region="Kansai")
    one, _other_kind, _elsewhere = (
        placed("A-1111", site=here),
        placed("A-2222", site=here, kind="kiosk"),
        placed("A-3333"),
    )
    placements.remove(placed("A-0000", site=here), becomes=DeviceState.SPARE, at=now())
    placed("A-4444", site=here, lifecycle=Lifecycle.OUT_OF_SERVICE)

    started = start(where=GrantScope(site=here), kinds=("payment",))
    placed("A-5555", site=here)

    assert [member.terminal for member in started.members.all()] == [one]


def test_a_round_without_devices_is_refused(fleet, start):
    placements.remove(fleet.terminal(), becomes=DeviceState.SPARE, at=now())

    with pytest.raises(services.NothingToInspect):
        start()


def test_a_retired_terminal_leaves_the_count_until_it_is_brought_back(placed, start, inspect):
    waiting, inspected = placed("A-1111"), placed("A-2222")
    started = start()
    inspect(started, inspected, seen_serial="2222")

    pks = [waiting.pk, inspected.pk]
    lifecycle_changes.retire(pks, device_becomes=DeviceState.SPARE, by=None, at=now())
    left = list(started.members.exclude(left="").values_list("terminal", "left"))
    lifecycle_changes.bring_back(pks, by=None, at=now())

    assert left == [(waiting.pk, "retired")]
    assert started.members.counted().count() == 2


def test_a_device_is_due_when_its_interval_ends_and_at_the_latest_with_the_round(placed, start, inspect):
    one = placed()
    today = timezone.localdate()
    first = start(every_days=30)
    inspect(first, one)
    again = first.members.get().due_on

    services.close_round(first, by=None, at=now())
    before_the_end, at_the_end = start(due_on=date(2099, 1, 1)), start(due_on=today + timedelta(days=3))

    assert again == today + timedelta(days=30)
    assert before_the_end.members.get().due_on == today + timedelta(days=90)
    assert at_the_end.members.get().due_on == today + timedelta(days=3)


# Inspections


def test_an_inspection_is_stored_once_for_each_key(placed, start, inspect):
    one, key = placed(), uuid4()
    started = start()

    first, again = inspect(started, one, key=key), inspect(started, one, key=key)

    assert (first.pk, Inspection.objects.count()) == (again.pk, 1)
    assert AuditEntry.objects.filter(action="inspected").count() == 1


def test_a_second_inspection_must_be_a_correction_and_the_first_one_stays(placed, start, inspect):
    one = placed()
    started = start()
    first = inspect(started, one)

    with pytest.raises(services.AlreadyInspected):
        inspect(started, one)
    second = inspect(started, one, corrects=first.pk, note="Seal replaced")

    first.refresh_from_db()
    assert first.superseded_at is not None
    assert started.members.get().current == second


@pytest.mark.parametrize(
    ("result", "values", "field"),
    [
        ("in_order", {"seen_serial": ""}, "seen_serial"),
        ("in_order", {"seen_serial": "388"}, "seen_serial"),
        ("in_order", {"seen_serial": "4389"}, "seen_serial"),
        ("in_order", {"seals": (DeviceSeal("A-1", intact=False),)}, "seals"),
        ("in_order", {"surroundings": frozenset({Surrounding.CABLES})}, "surroundings"),
        ("in_order", {"seals": tuple(DeviceSeal(str(n)) for n in range(13))}, "seals"),
        ("serial_differs", {}, "seen_serial"),
        ("serial_differs", {"seen_serial": "PX300-004388"}, "seen_serial"),
        ("serial_differs", {"seen_serial": "4120"}, "seen_serial"),
    ],
)
def test_a_result_that_contradicts_what_was_seen_is_refused(placed, start, inspect, result, values, field):
    one = placed()
    started = start()

    with pytest.raises(ValidationError) as refused:
        inspect(started, one, result, **values)

    assert list(refused.value.message_dict) == [field]
    assert not Inspection.objects.exists()


def test_what_was_done_before_a_round_closed_is_accepted_later(placed, start, inspect):
    one, other = placed("A-1111"), placed("A-2222")
    started = start()
    services.close_round(started, by=None, at=now(-60))

    made = inspect(started, one, seen_serial="1111", done_at=now(-120))
    with pytest.raises(services.RoundClosed):
        inspect(started, other, seen_serial="2222")

    assert made.at < made.received_at


# What follows


def test_a_tampered_device_opens_a_critical_alert_until_it_is_found_in_order(rules, placed, start, inspect):
    one = placed()
    started = start()

    found = inspect(started, one, "looks_tampered", note="Slot is loose")
    opened = Alert.objects.get()
    inspect(started, one, corrects=found.pk)
    over = Alert.objects.get()

    assert (found.alert, opened.severity, opened.rule.name) == (opened, "critical", "Looks tampered")
    assert (opened.state, over.state) == ("open", "resolved")
    assert list(Event.objects.order_by("pk").values_list("code", "text")) == [
        ("tms.looks_tampered", "Slot is loose"),
        ("tms.not_tampered", "inspected and in order"),
    ]


def test_another_serial_number_is_decided_as_if_the_device_had_connected(rules, placed, start, inspect):
    one = placed()

    found = inspect(start(), one, "serial_differs", seen_serial="PX300-004120")
    row = UnexpectedDevice.objects.undecided().get()
    unexpected.confirm(row, removed_becomes=DeviceState.IN_REPAIR, by=None, at=now())

    assert (row.expected_serial, row.serial) == ("PX300-004388", "PX300-004120")
    assert found.alert.rule.name == "Unexpected device"
    assert device_of(one).serial == "PX300-004120"
    assert Alert.objects.get().state == "resolved"


def test_a_misread_serial_number_leaves_nothing_to_decide(rules, placed, start, inspect):
    one = placed()
    started = start()
    misread = inspect(started, one, "serial_differs", seen_serial="PX300-004120")

    inspect(started, one, corrects=misread.pk)

    assert not UnexpectedDevice.objects.undecided().exists()
    assert Alert.objects.get().state == "resolved"
