"""A moment shows terminals with the site, name, model, firmware, groups and state of then."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.alerts.events import open_alert
from tests.support.builders import AT, Link, later
from tms.accounts.scope import Scope
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.fleet.groups.services import set_members
from tms.fleet.models import DeviceState, Lifecycle, Presence, Terminal, TerminalKind
from tms.fleet.terminals.lifecycle_changes import change_state, retire
from tms.fleet.terminals.services import TerminalValues, edit_terminal, move_terminals
from tms.ingest import commit
from tms.lib.calendar.recurrence import Recurrence
from tms.replay.state import Moment

pytestmark = [pytest.mark.both, pytest.mark.django_db]

DAY = timedelta(days=1)
TOKYO = ZoneInfo("Asia/Tokyo")


def at_second(seconds: float, scope: Scope | None = None) -> Moment:
    return Moment(later(seconds), *([scope] if scope else []), now=later(1_000))


@pytest.fixture
def moved(fleet, settings) -> Terminal:
    """It moved from AAA to BBB after a minute, together with a new name and another firmware."""
    settings.APPROVAL_LAST_LANE = False
    terminal = fleet.terminal(site=fleet.site("AAA"), label="Door 1", serial="S-1", model="KX-20", firmware="4.8.1")
    other = fleet.site("BBB")
    Terminal.objects.update(created_at=AT - DAY)
    commit.write([Link(terminal).boot(at=later(50), model="KX-21", firmware="4.8.2")])
    edit_terminal(terminal, TerminalValues(other, TerminalKind.GATE, "Gate 7"), by=fleet.person(), at=later(60))
    return terminal


def test_a_terminal_counts_at_the_site_and_as_the_kind_of_then(moved, fleet):
    before, after = (at_second(seconds).presence_counts for seconds in (55, 65))

    assert list(before) == [(fleet.site("AAA").pk, "online", "kiosk")]
    assert list(after) == [(fleet.site("BBB").pk, "online", "gate")]


def test_a_terminal_is_shown_with_the_name_site_model_and_firmware_of_then(moved):
    facts = [
        (then.site.code, then.label, then.kind, then.serial, then.model, then.firmware)
        for then in (at_second(seconds).terminal(moved).state.terminal for seconds in (40, 55, 65))
    ]

    assert facts == [
        ("AAA", "Door 1", "kiosk", "S-1", "KX-20", "4.8.1"),
        ("AAA", "Door 1", "kiosk", "S-1", "KX-21", "4.8.2"),
        ("BBB", "Gate 7", "gate", "S-1", "KX-21", "4.8.2"),
    ]


def test_alerts_are_those_of_the_site_model_and_firmware_of_then(moved, fleet):
    open_alert(fleet.metric_rule(severity="critical"), moved)

    (then,) = at_second(45).facts
    (row,) = at_second(45).alerts([then.pk])

    assert (then.site, then.kind, then.model, then.firmware) == (fleet.site("AAA").pk, "kiosk", "KX-20", "4.8.1")
    assert (row.terminal.site.code, row.terminal.label) == ("AAA", "Door 1")
    assert [one.site for one in at_second(65).facts] == [fleet.site("BBB").pk]


def test_people_see_the_terminals_of_today_and_the_site_of_then_only_if_they_see_it(moved, fleet):
    old, new = fleet.site("AAA").pk, fleet.site("BBB").pk
    scopes = [Scope(sites=frozenset(sites)) for sites in ({old}, {new}, {old, new})]

    sites = [[site for site, *_ in at_second(55, scope).presence_counts] for scope in scopes]

    assert sites == [[], [new], [old]]
    assert at_second(55, scopes[0]).terminal(moved) is None
    assert at_second(55, scopes[1]).terminal(moved).state.terminal.site.code == "BBB"


@pytest.mark.parametrize("then", [state for state in Lifecycle if state is not Lifecycle.RETIRED])
def test_a_terminal_counts_if_it_was_in_service_then(fleet, then):
    terminal = fleet.online(lifecycle=then)
    Terminal.objects.update(created_at=AT - DAY)
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=later(60))

    before, after = (sum(at_second(seconds).presence_counts.values()) for seconds in (30, 90))

    assert (before, after) == (int(then is Lifecycle.IN_SERVICE), 0)


def test_a_terminal_that_is_in_service_today_did_not_count_before(fleet):
    terminal = fleet.online(lifecycle=Lifecycle.OUT_OF_SERVICE)
    Terminal.objects.update(created_at=AT - DAY)
    change_state([terminal.pk], Lifecycle.IN_SERVICE, by=None, at=later(60))

    assert [sum(at_second(seconds).presence_counts.values()) for seconds in (30, 90)] == [0, 1]


def test_replays_start_from_any_base_with_the_same_numbers(moved, fleet, based_on):
    fleet.with_presence(Presence.OFFLINE, site=fleet.site("BBB"), lifecycle=Lifecycle.OUT_OF_SERVICE)
    based_on(now=later(200))

    counts = at_second(55).presence_counts

    assert counts == {(fleet.site("AAA").pk, "online", "kiosk"): 1}


def test_maintenance_covered_the_groups_and_sites_of_then(fleet):
    by_group, by_site = fleet.online(), fleet.online(site=fleet.site("AAA"))
    group, other = fleet.group("Lobby"), fleet.site("BBB")
    Terminal.objects.update(created_at=AT - DAY)
    recurrence = Recurrence(TOKYO, AT.astimezone(TOKYO).replace(tzinfo=None), timedelta(hours=1), "")
    scope = WindowScope(sites=[by_site.site], groups=[group])
    maintenance.plan(recurrence, scope, note="", by=None, at=AT)
    set_members(group, add=[by_group.pk], by=None, at=later(60))
    move_terminals([by_site.pk], to=other, by=None, at=later(60))

    def in_maintenance(seconds: float) -> list[bool]:
        return [at_second(seconds).terminal(one).maintenance is not None for one in (by_group, by_site)]

    assert in_maintenance(30) == [False, True]
    assert in_maintenance(90) == [True, False]


def test_only_terminals_in_service_then_are_counted_in_maintenance(fleet):
    terminal, _ = fleet.online(), fleet.online()
    Terminal.objects.update(created_at=AT - DAY)
    recurrence = Recurrence(TOKYO, AT.astimezone(TOKYO).replace(tzinfo=None), timedelta(hours=1), "")
    maintenance.plan(recurrence, WindowScope(sites=[terminal.site]), note="", by=None, at=AT)
    change_state([terminal.pk], Lifecycle.OUT_OF_SERVICE, by=None, at=later(60))

    assert [at_second(seconds).maintenance_count for seconds in (30, 90)] == [2, 1]
