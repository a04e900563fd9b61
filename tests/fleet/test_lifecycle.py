"""The lifecycle of terminals: planned, in service, out of service, retired, and what follows from each."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, Link, later
from tests.support.credentials import find_key
from tms.alerts.correlation.counting import shares
from tms.alerts.models import Alert
from tms.alerts.models.factor import Factor
from tms.boards.caches import census
from tms.commands.models import Command, CommandState
from tms.fleet.credentials import services as credentials
from tms.fleet.lifecycle import CHANGES, Lifecycle
from tms.fleet.models import DeviceState, IdentityChange, Placement, Presence, TerminalKind
from tms.fleet.sites import services as sites
from tms.fleet.terminals import lifecycle_changes
from tms.fleet.terminals.lifecycle_changes import NotPossible, bring_back, change_state, retire
from tms.fleet.terminals.services import TerminalValues, create_terminal
from tms.ingest import commit

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def state_of(terminal) -> Lifecycle:
    terminal.refresh_from_db()
    return Lifecycle(terminal.lifecycle)


def test_the_first_boot_puts_a_planned_terminal_in_service(fleet):
    terminal = create_terminal("SJK-KSK-01", TerminalValues(fleet.site(), TerminalKind.KIOSK), at=AT)

    commit.write([Link(terminal).boot(serial="S-1", at=later(5))])

    assert state_of(terminal) is Lifecycle.IN_SERVICE
    assert terminal.lifecycle_at == later(5)
    changed = IdentityChange.objects.get(terminal=terminal, field="lifecycle")
    assert (changed.before, changed.after, changed.source) == ("planned", "in_service", "boot")


@pytest.mark.parametrize("state", [state for state in Lifecycle if state is not Lifecycle.IN_SERVICE])
def test_only_terminals_in_service_are_counted(fleet, state):
    fleet.terminals(1, presence=Presence.ONLINE, presence_at=AT)
    fleet.terminals(1, presence=Presence.OFFLINE, presence_at=AT, lifecycle=state)

    counted = census.take()
    [share] = shares(Factor.SITE, [str(fleet.site().pk)], since=AT - timedelta(hours=1)).values()

    assert (counted.total, counted.presences) == (1, {"online": 1})
    assert (share.lost, share.size) == (0, 1)


def test_out_of_service_resolves_alerts_and_opens_none(fleet):
    rule = fleet.metric_rule()
    terminal = fleet.online()
    link = Link(terminal)
    commit.write([link.boot()])
    commit.write([link.report(1, metrics={"temperature_c": 90.0})])
    assert Alert.objects.unresolved().filter(rule=rule).count() == 1

    change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=fleet.person(), at=later(10), comment="refit")
    commit.write([link.report(2, at=later(20), metrics={"temperature_c": 20.0})])
    commit.write([link.report(3, at=later(30), metrics={"temperature_c": 95.0})])

    assert Alert.objects.unresolved().count() == 0
    resolved = Alert.objects.get().transitions.get(kind="resolved")
    assert resolved.comment == "out of service"


def test_a_terminal_that_returns_to_service_offline_opens_its_presence_alert(fleet):
    rule = fleet.presence_rule()
    terminal = fleet.with_presence(Presence.OFFLINE, lifecycle=Lifecycle.OUT_OF_SERVICE)

    change_state([terminal.pk], Lifecycle.IN_SERVICE, by=fleet.person(), at=later(10))

    assert Alert.objects.get(rule=rule).terminal == terminal


def test_a_retired_terminal_has_no_key_no_device_and_no_command(fleet):
    terminal, person = fleet.terminal(serial="S-1"), fleet.person()
    key = credentials.issue(terminal)
    command = fleet.command(terminal)

    retire([terminal.pk], device_becomes=DeviceState.IN_REPAIR, by=person, at=later(10))

    assert state_of(terminal) is Lifecycle.RETIRED
    assert find_key(key, at=later(11)) is None
    assert not Placement.objects.open().filter(terminal=terminal).exists()
    assert Command.objects.get(pk=command.pk).state == CommandState.EXPIRED


@pytest.mark.parametrize("state", [Lifecycle.PLANNED, Lifecycle.IN_SERVICE, Lifecycle.OUT_OF_SERVICE])
def test_a_retired_terminal_is_brought_back_to_the_state_it_had_with_its_device_and_keys(fleet, state):
    terminal = fleet.terminal(serial="S-1", lifecycle=state)
    key = credentials.issue(terminal)
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=later(10))

    number = bring_back([terminal.pk], by=fleet.person(), at=later(20))

    assert (number, state_of(terminal)) == (1, state)
    assert find_key(key, at=later(21)) is not None
    assert Placement.objects.open().get(terminal=terminal).device.serial == "S-1"


def test_a_terminal_comes_back_without_a_device_that_is_lost(fleet):
    terminal = fleet.terminal(serial="S-1")
    retire([terminal.pk], device_becomes=DeviceState.LOST, by=None, at=later(10))

    bring_back([terminal.pk], by=None, at=later(20))

    assert state_of(terminal) is Lifecycle.IN_SERVICE
    assert not Placement.objects.open().filter(terminal=terminal).exists()


def test_a_terminal_is_brought_back_within_thirty_days(fleet):
    terminal = fleet.terminal()
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=AT)

    with pytest.raises(NotPossible):
        bring_back([terminal.pk], by=None, at=AT + lifecycle_changes.BRING_BACK_WITHIN + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("before", "after"),
    [(one, other) for one in Lifecycle for other in Lifecycle if one != other and other not in CHANGES[one]],
)
def test_states_that_cannot_follow_are_refused(fleet, before, after):
    terminal = fleet.terminal(lifecycle=before)

    with pytest.raises(NotPossible, match=terminal.uid):
        change_state([terminal.pk], after, by=None, at=AT)

    assert state_of(terminal) is before


def test_a_closed_site_retires_its_terminals_and_reopens_with_them(fleet):
    terminal, retired_before = fleet.terminal(), fleet.terminal()
    site, person = terminal.site, fleet.person()
    retire([retired_before.pk], device_becomes=DeviceState.SPARE, by=person, at=AT)

    closed = sites.close_site(site, device_becomes=DeviceState.SPARE, by=person, at=later(10))
    in_between = state_of(terminal)
    opened = sites.reopen_site(site, by=person, at=later(20))

    assert (closed, in_between, opened) == (1, Lifecycle.RETIRED, 1)
    assert (state_of(terminal), state_of(retired_before)) == (Lifecycle.IN_SERVICE, Lifecycle.RETIRED)
