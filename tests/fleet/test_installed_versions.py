"""Versions of what terminals run, as their boots reported."""

import pytest

from tests.support.builders import Fleet
from tms.fleet import installed_versions
from tms.fleet.installed_versions import installed_version, running, software_row, with_version
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]

RUNS = [("kiosk-firmware", "4.8.1"), ("tms-agent", "2.0"), ("payment-app", "2.14.2"), ("odd__name", "1")]


def test_a_version_is_that_of_the_software_of_this_name_or_else_of_the_firmware_or_agent(fleet: Fleet) -> None:
    terminal = fleet.terminal(firmware="4.8.1", agent="tms-agent/2.0")
    other = fleet.terminal(firmware="1")

    installed_versions.record(
        [software_row(terminal.pk, ["update", "config"], {"payment-app": "2.14.2", "odd__name": "1"})]
    )

    terminal.refresh_from_db()
    assert terminal.features == ["config", "update"]
    for name, version in RUNS:
        assert installed_version(terminal, name) == version
        assert with_version(Terminal.objects.filter(pk=terminal.pk), name).get().version == version
        assert terminal in Terminal.objects.filter(running(name, version))
    assert list(Terminal.objects.filter(running("payment-app", "1"))) == [other]


def test_a_boot_that_says_nothing_clears_what_was_stored(fleet: Fleet) -> None:
    terminal = fleet.terminal()
    installed_versions.record([software_row(terminal.pk, ["update"], {"payment-app": "2"})])

    installed_versions.record([software_row(terminal.pk, [], {})])

    terminal.refresh_from_db()
    assert (terminal.features, terminal.software) == ([], {})
