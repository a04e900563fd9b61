"""Days of sites, rolled up when they are over."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.alerts.availability import DAY, away, open_daily, roll_up_until, serving, tokyo
from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.availability.models import KindDay, PendingOutage, SiteDay, TerminalDay
from tms.availability.rollup import services
from tms.fleet.models import DeviceState, Lifecycle, Outage
from tms.fleet.models.opening_hours import OpeningHours
from tms.fleet.terminals.lifecycle_changes import change_state, retire
from tms.fleet.terminals.services import move_terminals
from tms.lib.calendar.local_time import local_time
from tms.lib.calendar.recurrence import Recurrence
from tms.telemetry.models import Boot

HOURS = 3_600
TOKYO = ZoneInfo("Asia/Tokyo")
DAY_BEFORE = DAY - timedelta(days=1)
pytestmark = pytest.mark.both


@pytest.fixture
def site(fleet):
    return open_daily(fleet.site())


def day_of(terminal, day=DAY) -> TerminalDay:
    return TerminalDay.objects.get(terminal=terminal, day=day)


def seconds(row) -> dict[str, int]:
    """What is not zero."""
    names = ("counted_s", "excluded_s", *(f"{loss}_s" for loss in services.LossReason.values))
    return {name: value for name in names if (value := getattr(row, name))}


def test_only_opening_hours_count(fleet, site):
    terminal = serving(fleet, site)
    away(terminal, tokyo("08:30"), tokyo("09:20"))
    away(terminal, tokyo("20:59"), tokyo("23:00"), "power")

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 12 * HOURS, "network_s": 20 * 60, "power_s": 60}


def test_a_site_without_hours_counts_around_the_clock(fleet):
    terminal = serving(fleet, fleet.site())

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 24 * HOURS}


def plan_daily(since, hours, *, at, terminal):
    recurrence = Recurrence(TOKYO, local_time(since, TOKYO), timedelta(hours=hours), "FREQ=DAILY")
    return maintenance.plan(recurrence, WindowScope(terminals=[terminal]), note="x", by=None, at=at)


def test_maintenance_is_excluded_for_as_long_as_it_lasted(fleet, site):
    """The recurring window was ended early, and has moved on to its next occurrence since."""
    terminal, other = serving(fleet, site), serving(fleet, site)
    window = plan_daily(tokyo("10:00"), 2, at=tokyo("08:00"), terminal=terminal)
    maintenance.roll_over(tokyo("10:00"))
    maintenance.end(window, by=fleet.person(), at=tokyo("11:00"))
    away(terminal, tokyo("10:30"), tokyo("11:15"))

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 11 * HOURS, "excluded_s": HOURS, "network_s": 15 * 60}
    assert seconds(day_of(other)) == {"counted_s": 12 * HOURS}


def test_maintenance_that_was_ended_before_midnight_is_not_excluded_after_it(fleet):
    """It was planned to last until 04:00."""
    terminal = serving(fleet, fleet.site())
    window = plan_daily(tokyo("22:00", DAY_BEFORE), 6, at=tokyo("08:00", DAY_BEFORE), terminal=terminal)
    maintenance.roll_over(tokyo("22:00", DAY_BEFORE))
    maintenance.end(window, by=fleet.person(), at=tokyo("23:30", DAY_BEFORE))
    away(terminal, tokyo("01:00"), tokyo("02:00"))

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 22 * HOURS, "excluded_s": 2 * HOURS, "network_s": HOURS}


def test_time_before_maintenance_was_planned_is_not_excluded(fleet):
    """It begins tomorrow."""
    terminal = serving(fleet, fleet.site())
    away(terminal, tokyo("03:00"), tokyo("03:30"))
    plan_daily(tokyo("02:00"), 2, at=tokyo("15:00"), terminal=terminal)

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 24 * HOURS, "network_s": 30 * 60}


@pytest.mark.parametrize(("first_boot", "counted_h"), [("00:00", 12), ("15:00", 6), ("23:00", 0)])
def test_a_terminal_counts_from_its_first_boot(fleet, site, first_boot, counted_h):
    terminal = serving(fleet, site, since=tokyo(first_boot))

    roll_up_until()

    assert day_of(terminal).counted_s == counted_h * HOURS


def change(terminal, to, clock) -> None:
    change_state([terminal.pk], to, by=None, at=tokyo(clock))


def test_a_terminal_counts_until_it_is_out_of_service(fleet, site):
    terminal, never_seen = serving(fleet, site), fleet.terminal(site=site)
    away(terminal, tokyo("11:59"), None)
    change(terminal, Lifecycle.OUT_OF_SERVICE, "12:00")

    roll_up_until(DAY + timedelta(days=1))

    assert seconds(day_of(terminal)) == {"counted_s": 3 * HOURS, "unclear_s": 60}
    assert not TerminalDay.objects.filter(terminal=terminal, day__gt=DAY).exists()
    assert not TerminalDay.objects.filter(terminal=never_seen).exists()


def test_a_retired_terminal_counts_until_then_and_its_past_days_stay(fleet, site):
    terminal = serving(fleet, site)
    roll_up_until()
    retire([terminal.pk], device_becomes=DeviceState.SPARE, by=None, at=tokyo("10:00", DAY + timedelta(days=1)))

    roll_up_until(DAY + timedelta(days=2))

    assert list(TerminalDay.objects.order_by("day").values_list("counted_s", flat=True)) == [12 * HOURS, HOURS]


def test_a_terminal_without_a_valid_key_is_still_in_service(fleet, site):
    terminal = serving(fleet, site)
    terminal.credentials.update(revoked_at=tokyo("12:00"))
    away(terminal, tokyo("12:00"), None)

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 12 * HOURS, "unclear_s": 9 * HOURS}


def test_what_lies_between_two_periods_in_service_is_excluded(fleet, site):
    terminal = serving(fleet, site)
    change(terminal, Lifecycle.OUT_OF_SERVICE, "10:00")
    away(terminal, tokyo("10:30"), tokyo("11:15"))
    change(terminal, Lifecycle.IN_SERVICE, "11:00")

    roll_up_until()

    assert seconds(day_of(terminal)) == {"counted_s": 11 * HOURS, "excluded_s": HOURS, "network_s": 15 * 60}


def test_a_moved_terminal_counts_at_each_site_while_it_was_there(fleet, site):
    other = open_daily(fleet.site("OTH"))
    terminal = serving(fleet, site, since=tokyo("00:00", DAY_BEFORE))
    serving(fleet, other, since=tokyo("00:00", DAY_BEFORE))
    away(terminal, tokyo("11:30"), tokyo("12:10"))
    move_terminals([terminal.pk], to=other, by=None, at=tokyo("12:00"))

    roll_up_until(DAY + timedelta(days=1))

    days = TerminalDay.objects.filter(terminal=terminal).order_by("day", "-site_day__site__code")
    assert [(row.site_day.site, row.day.day, seconds(row)) for row in days] == [
        (site, DAY_BEFORE.day, {"counted_s": 12 * HOURS}),
        (site, DAY.day, {"counted_s": 3 * HOURS, "network_s": 30 * 60}),
        (other, DAY.day, {"counted_s": 9 * HOURS, "network_s": 10 * 60}),
        (other, DAY.day + 1, {"counted_s": 12 * HOURS}),
    ]


def test_people_of_a_site_see_the_days_of_a_moved_terminal_at_their_site(fleet, site):
    other, terminal = open_daily(fleet.site("OTH")), serving(fleet, site)
    group = fleet.group("Lobby", terminal)
    move_terminals([terminal.pk], to=other, by=None, at=tokyo("12:00"))
    roll_up_until()

    scopes = [Scope(sites=frozenset({one.pk})) for one in (site, other)] + [Scope(groups=frozenset({group.pk}))]
    seen = [list(within(TerminalDay.objects.order_by("pk"), scope)) for scope in scopes]

    assert [sum(row.counted_s for row in rows) // HOURS for rows in seen] == [3, 9, 12]


def test_a_terminal_that_was_elsewhere_for_an_hour_is_excluded_meanwhile(fleet, site):
    other, terminal = open_daily(fleet.site("OTH")), serving(fleet, site)
    move_terminals([terminal.pk], to=other, by=None, at=tokyo("10:00"))
    move_terminals([terminal.pk], to=site, by=None, at=tokyo("11:00"))

    roll_up_until()

    assert seconds(TerminalDay.objects.get(site_day__site=site)) == {"counted_s": 11 * HOURS, "excluded_s": HOURS}


def test_an_outage_gets_its_cause_in_past_days_once_the_terminal_has_returned(fleet, site):
    terminal = serving(fleet, site)
    lost = away(terminal, tokyo("20:00"), None)
    at = roll_up_until(DAY + timedelta(days=1))
    assert [day_of(terminal).unclear_s, day_of(terminal, DAY + timedelta(days=1)).unclear_s] == [HOURS, 12 * HOURS]

    Outage.objects.filter(pk=lost.pk).update(ended_at=at, cause="power", reports_sent=0)
    services.advance(at + timedelta(minutes=1))

    assert seconds(day_of(terminal)) == {"counted_s": 12 * HOURS, "power_s": HOURS}
    assert day_of(terminal, DAY + timedelta(days=1)).power_s == 12 * HOURS
    assert not PendingOutage.objects.filter(site_day__day__lte=DAY).exists()


def test_an_outage_that_tms_could_only_record_after_midnight_counts(fleet):
    """TMS was unavailable meanwhile: its first pass may be before it has recorded what it missed."""
    terminal = serving(fleet, fleet.site())
    at = roll_up_until()
    away(terminal, tokyo("23:50"), None)

    services.advance(at + timedelta(minutes=1))
    again = services.advance(at + timedelta(minutes=2))

    assert seconds(day_of(terminal)) == {"counted_s": 24 * HOURS, "unclear_s": 10 * 60}
    assert again == 0


def test_hours_and_maintenance_of_a_past_day_stay_as_they_were(fleet, site):
    terminal = serving(fleet, site)
    lost = away(terminal, tokyo("20:00"), None)
    at = roll_up_until()
    OpeningHours.objects.filter(site=site).delete()

    Outage.objects.filter(pk=lost.pk).update(ended_at=at, cause="power", reports_sent=0)
    services.advance(at)

    assert seconds(day_of(terminal)) == {"counted_s": 12 * HOURS, "power_s": HOURS}


def test_a_power_cut_of_one_terminal_among_several_is_the_devices(fleet, site):
    alone, one, two = (serving(fleet, site) for _ in range(3))
    away(alone, tokyo("10:00"), tokyo("10:30"), "power")
    for shared in (one, two):
        away(shared, tokyo("15:00"), tokyo("15:30"), "power")

    roll_up_until()

    assert seconds(day_of(alone)) == {"counted_s": 12 * HOURS, "device_s": 30 * 60}
    assert [day_of(each).power_s for each in (one, two)] == [30 * 60] * 2


def test_a_day_is_the_local_day_of_the_site_where_clocks_change(fleet):
    berlin = fleet.site("BER", time_zone="Europe/Berlin")
    long_day = date(2026, 10, 25)
    terminal = serving(fleet, berlin, since=tokyo("00:00", long_day))

    roll_up_until(date(2026, 10, 26))

    assert day_of(terminal, long_day).counted_s == 25 * HOURS


@pytest.mark.parametrize(
    ("before", "after", "counted_h"),
    [
        ("UTC", "Asia/Tokyo", 15),
        ("Asia/Tokyo", "UTC", 33),
        ("Etc/GMT+12", "Pacific/Kiritimati", 0),
    ],
)
def test_a_site_that_changes_its_time_zone_has_no_gap_and_counts_no_hour_twice(fleet, before, after, counted_h):
    moved = fleet.site("MOV", time_zone=before)
    serving(fleet, moved, since=tokyo("00:00", DAY - timedelta(days=2)))
    services.roll_up(moved, DAY, at=tokyo("24:00"))
    moved.time_zone = after

    for days in (1, 2, 3):
        services.roll_up(moved, DAY + timedelta(days=days), at=tokyo("24:00"))

    first, second, third, fourth = SiteDay.objects.order_by("day")
    assert (second.ends_at - second.begins_at) == timedelta(hours=counted_h)
    assert [second.begins_at, third.begins_at, fourth.begins_at] == [first.ends_at, second.ends_at, third.ends_at]
    assert fourth.begins_at.astimezone(ZoneInfo(after)).hour == 0


def test_a_day_is_rolled_up_once_it_is_over(fleet, site):
    serving(fleet, site)

    services.advance(tokyo("24:05"))
    assert not SiteDay.objects.exists()

    services.advance(tokyo("24:10"))
    assert [(row.site, row.day) for row in SiteDay.objects.all()] == [(site, DAY)]
    assert services.advance(tokyo("24:20")) == 0


def test_a_kind_and_model_of_a_site_has_the_sum_of_its_terminals(fleet, site):
    terminals = [serving(fleet, site, kind="gate", model="G2") for _ in range(2)]
    serving(fleet, site, kind="kiosk")
    away(terminals[0], tokyo("10:00"), tokyo("11:00"))

    roll_up_until()

    gates = KindDay.objects.get(kind="gate")
    assert (gates.terminals, gates.model, seconds(gates)) == (2, "G2", {"counted_s": 24 * HOURS, "network_s": HOURS})
    assert KindDay.objects.count() == 2


def test_days_before_the_first_roll_up_are_computed_up_to_a_hundred_days_back(fleet, site):
    serving(fleet, site, since=tokyo("00:00") - timedelta(days=300))

    roll_up_until()

    assert SiteDay.objects.count() == 100
    assert SiteDay.objects.earliest("day").day == DAY - timedelta(days=99)


def test_days_beyond_the_retention_are_deleted(fleet, site, settings):
    settings.HISTORY_DAYS = 30
    serving(fleet, site)
    roll_up_until()

    services.retire(tokyo("12:00", DAY + timedelta(days=40)))

    assert not SiteDay.objects.filter(day=DAY).exists()
    assert not TerminalDay.objects.filter(day=DAY).exists()


def test_a_boot_of_another_terminal_does_not_put_one_into_service(fleet, site):
    serving(fleet, site)
    fleet.terminal(site=site)

    roll_up_until()

    assert TerminalDay.objects.count() == Boot.objects.count() == 1
