"""Terminals with a firmware other than expected."""

import pytest

from tests.support.builders import AT, Fleet, later
from tms.alerts import lifecycle
from tms.alerts.lifecycle import firmware
from tms.alerts.models import Alert
from tms.fleet.models import Terminal

pytestmark = pytest.mark.both


def terminals(fleet: Fleet, *firmwares: str, model: str = "PX-300") -> list[Terminal]:
    return [fleet.online(model=model, firmware=version) for version in firmwares]


def alerting() -> set[Terminal]:
    return {alert.terminal for alert in Alert.objects.unresolved().select_related("terminal")}


def test_a_terminal_with_another_firmware_than_the_rule_alerts_until_it_is_updated(fleet):
    old, _ = terminals(fleet, "1.0", "2.0")
    fleet.firmware_rule("2.0", model="PX-300")
    terminals(fleet, "1.0", model="OTHER")

    firmware.follow_all(AT)
    first = alerting()
    Terminal.objects.filter(pk=old.pk).update(firmware="2.0")
    firmware.follow_all(later(30))

    assert (first, alerting()) == ({old}, set())
    assert Alert.objects.get().resolved_at == later(30)


def test_a_terminal_that_differs_from_most_of_its_model_alerts(fleet):
    *_, odd = terminals(fleet, "2.0", "2.0", "1.9")
    fleet.firmware_rule()

    firmware.follow_all(AT)

    assert alerting() == {odd}


@pytest.mark.parametrize("firmwares", [("2.0", "1.9"), ("2.0", "2.0", "1.9", "1.9"), ("2.0", "", ""), ("a", "b", "c")])
def test_without_a_sufficient_majority_no_terminal_differs(fleet, firmwares):
    terminals(fleet, *firmwares)
    fleet.firmware_rule()

    firmware.follow_all(AT)

    assert alerting() == set()


def test_it_waits_for_the_rules_duration(fleet):
    terminals(fleet, "1.0")
    fleet.firmware_rule("2.0", duration_s=3600)

    firmware.follow_all(AT)
    firmware.follow_all(later(3000))
    opened = [lifecycle.open_pending(later(3599)), lifecycle.open_pending(later(3600))]

    assert opened == [0, 1]


def test_a_pass_that_changes_nothing_writes_nothing(fleet, django_assert_num_queries):
    terminals(fleet, "2.0", "2.0", "1.9")
    fleet.firmware_rule()
    firmware.follow_all(AT)

    with django_assert_num_queries(4):
        firmware.follow_all(later(30))
