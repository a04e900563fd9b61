"""Maintenance windows: their scope, changes by people, and their recurrence."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from tests.support.builders import AT, later
from tests.support.threads import run_concurrently
from tms.accounts.models import AuditEntry
from tms.alerts.maintenance import coverage, services
from tms.alerts.maintenance.calendar import planned_windows
from tms.alerts.maintenance.services import NotActive, WindowScope
from tms.alerts.models.maintenance import Window
from tms.fleet.groups.services import set_members
from tms.fleet.models import Group, Terminal
from tms.fleet.terminals.services import move_terminals
from tms.lib.calendar.recurrence import BadRecurrence, Recurrence

pytestmark = pytest.mark.both

TOKYO = ZoneInfo("Asia/Tokyo")
HOUR, DAY = 3600, 86_400


def plan(fleet, scope: WindowScope, *, starts: float = 0, hours: float = 1, rule: str = "", by: str = "mei") -> Window:
    """Plan a window that starts some hours after AT, which is 18:00 in Tokyo."""
    wall = (later(starts)).astimezone(TOKYO).replace(tzinfo=None)
    recurrence = Recurrence(TOKYO, wall, timedelta(hours=hours), rule)
    return services.plan(recurrence, scope, note="new router", by=fleet.person(by), at=AT)


def covered(*terminals: Terminal, at: datetime) -> set[str]:
    sites_of = {terminal.pk: terminal.site_id for terminal in terminals}
    found = coverage.coverage_of(sites_of, among=coverage.running(at))
    return {terminal.uid for terminal in terminals if terminal.pk in found}


@pytest.mark.parametrize("way", ["site", "group", "terminal"])
def test_a_window_covers_its_sites_groups_and_terminals_while_it_lasts(fleet, way):
    one, other = fleet.terminal(uid="one"), fleet.terminal(uid="other", site=fleet.site("UMD"))
    group = Group.objects.create(name="pilot")
    group.terminals.add(one)
    scope = {
        "site": WindowScope(sites=[one.site]),
        "group": WindowScope(groups=[group]),
        "terminal": WindowScope(terminals=[one]),
    }

    plan(fleet, scope[way], starts=HOUR)

    instants = [HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR]
    assert [covered(one, other, at=later(at)) for at in instants] == [set(), {"one"}, {"one"}, set()]


@pytest.mark.parametrize("way", ["site", "group"])
def test_a_window_covers_nobody_beyond_what_was_agreed_to(fleet, settings, way):
    """Some may join; more than nobody was asked for may not, and may again once somebody extends the window."""
    settings.APPROVAL_TERMINALS, settings.APPROVAL_LAST_LANE = 2, False
    first, *joining = [fleet.terminal(uid=f"{number}", site=fleet.site(f"S{number}")) for number in range(4)]
    group = fleet.group("pilot", first)
    scope = {"site": WindowScope(sites=[first.site]), "group": WindowScope(groups=[group])}
    window = plan(fleet, scope[way], hours=2)

    def join(*terminals: Terminal) -> None:
        pks = [terminal.pk for terminal in terminals]
        if way == "site":
            move_terminals(pks, to=first.site, by=None, at=AT)
        else:
            set_members(group, add=pks, by=None, at=AT)

    def now_covered() -> set[str]:
        by_rows = covered(*Terminal.objects.all(), at=later(60))
        assert by_rows == set(Terminal.objects.filter(coverage.in_scope([window])).values_list("uid", flat=True))
        return by_rows

    join(joining[0])
    within = now_covered()
    join(*joining[1:])
    beyond = now_covered()
    window.refresh_from_db()
    services.extend(window, until=window.occurs_until + timedelta(hours=1), by=None, at=later(60))

    assert (within, beyond, now_covered()) == ({"0", "1"}, {"0"}, {"0", "1", "2", "3"})
    assert list(AuditEntry.objects.filter(action="outgrown").values_list("changes", flat=True)) == [
        {"terminals": [1, 4]}
    ]


def test_a_window_that_shrinks_covers_all_again_and_forgets_who_left(fleet, settings):
    settings.APPROVAL_TERMINALS, settings.APPROVAL_LAST_LANE = 2, False
    terminals = [fleet.terminal(uid=f"{number}") for number in range(4)]
    group = fleet.group("pilot", terminals[0])
    window = plan(fleet, WindowScope(groups=[group]))

    set_members(group, add=[terminal.pk for terminal in terminals[1:]], by=None, at=AT)
    set_members(group, remove=[terminal.pk for terminal in terminals[:2]], by=None, at=AT)

    window.refresh_from_db()
    assert (window.is_outgrown, window.agreed_terminals.count()) == (False, 0)
    assert covered(*terminals, at=later(60)) == {"2", "3"}


def test_of_several_windows_the_one_that_lasts_longest_is_reported(fleet):
    terminal = fleet.terminal()
    plan(fleet, WindowScope(sites=[terminal.site]), hours=1, by="mei")
    plan(fleet, WindowScope(terminals=[terminal]), hours=3, by="ken")
    plan(fleet, WindowScope(sites=[terminal.site]), hours=2, by="aiko")

    cover = coverage.coverage_of({terminal.pk: terminal.site_id}, among=coverage.running(AT))[terminal.pk]

    assert (cover.until, cover.by, cover.note) == (later(3 * HOUR), "ken", "new router")


def test_a_repeating_window_advances_to_its_next_occurrence(fleet):
    terminal = fleet.terminal()
    window = plan(fleet, WindowScope(terminals=[terminal]), rule="FREQ=DAILY;COUNT=2")

    states = []
    for seconds in (0, HOUR, DAY, DAY + HOUR):
        services.roll_over(later(seconds))
        window.refresh_from_db()
        states.append((window.occurs_at, window.is_active, window.ended_at))

    assert states == [
        (AT, True, None),
        (later(DAY), False, None),
        (later(DAY), True, None),
        (later(DAY), False, later(DAY + HOUR)),
    ]


def test_a_window_is_effective_before_the_clock_has_advanced_it(fleet):
    """The clock was down since yesterday."""
    terminal = fleet.terminal()
    plan(fleet, WindowScope(terminals=[terminal]), rule="FREQ=DAILY")

    instants = [DAY - 1, DAY, DAY + HOUR - 1, DAY + HOUR]

    assert [bool(covered(terminal, at=later(at))) for at in instants] == [False, True, True, False]


def test_ending_an_occurrence_early_does_not_change_the_next_one(fleet):
    terminal, person = fleet.terminal(), fleet.person("ken")
    window = plan(fleet, WindowScope(terminals=[terminal]), hours=2, rule="FREQ=DAILY")

    services.end(window, by=person, at=later(HOUR))

    window.refresh_from_db()
    assert (window.occurs_at, window.changed_by) == (later(DAY), person)
    instants = [HOUR, DAY, DAY + 2 * HOUR - 1]
    assert [bool(covered(terminal, at=later(at))) for at in instants] == [False, True, True]


def test_a_single_window_is_past_when_it_is_ended(fleet):
    window = plan(fleet, WindowScope(terminals=[fleet.terminal()]), hours=2)

    services.end(window, by=fleet.person(), at=later(HOUR))

    assert Window.objects.past().get().ended_at == later(HOUR)


def test_an_occurrence_is_extended_and_the_next_one_is_not(fleet):
    terminal = fleet.terminal()
    window = plan(fleet, WindowScope(terminals=[terminal]), rule="FREQ=DAILY")

    services.extend(window, until=later(3 * HOUR), by=fleet.person(), at=later(60))

    instants = [3 * HOUR - 1, 3 * HOUR, DAY, DAY + HOUR]
    assert [bool(covered(terminal, at=later(at))) for at in instants] == [True, False, True, False]


def test_a_cancelled_window_has_no_more_occurrences(fleet):
    terminal, person = fleet.terminal(), fleet.person("ken")
    window = plan(fleet, WindowScope(terminals=[terminal]), rule="FREQ=DAILY")

    services.cancel(window, by=person, at=later(60))
    services.cancel(window, by=fleet.person("aiko"), at=later(90))

    window.refresh_from_db()
    assert (window.ended_at, window.changed_by) == (later(60), person)
    assert not covered(terminal, at=later(60))
    assert not covered(terminal, at=later(DAY))


def test_the_calendar_shows_no_occurrence_that_was_cancelled_before_it_began(fleet):
    cancelled = plan(fleet, WindowScope(terminals=[fleet.terminal()]), starts=2 * DAY)
    services.cancel(cancelled, by=fleet.person(), at=later(HOUR))

    assert planned_windows(Window.objects.all(), since=AT, until=later(7 * DAY)) == []


@pytest.mark.parametrize("seconds", [-1, HOUR])
def test_an_inactive_window_cannot_be_ended_or_extended(fleet, seconds):
    window = plan(fleet, WindowScope(terminals=[fleet.terminal()]))

    with pytest.raises(NotActive):
        services.end(window, by=fleet.person(), at=later(seconds))
    with pytest.raises(NotActive):
        services.extend(window, until=later(9 * HOUR), by=fleet.person(), at=later(seconds))


def test_a_window_in_the_past_cannot_be_planned(fleet):
    with pytest.raises(BadRecurrence, match="No upcoming occurrence"):
        plan(fleet, WindowScope(terminals=[fleet.terminal()]), starts=-2 * HOUR)

    assert not Window.objects.exists()


def test_without_maintenance_one_query_is_enough(fleet, django_assert_num_queries):
    terminal = fleet.terminal()
    plan(fleet, WindowScope(terminals=[terminal]), starts=HOUR)

    with django_assert_num_queries(1):
        assert not covered(terminal, at=AT)


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified_of_its_start_and_end(fleet, feed_recorder):
    plan(fleet, WindowScope(terminals=[fleet.terminal()]), starts=HOUR)
    feed_recorder.changes()

    published = []
    for seconds in (HOUR - 1, HOUR, HOUR + 1, 2 * HOUR, 2 * HOUR + 1):
        services.roll_over(later(seconds))
        published.append(feed_recorder.change().everything)

    assert published == [False, True, False, True, False]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_end_that_moves_while_the_clock_advances_is_not_lost(fleet):
    terminal, person = fleet.terminal(), fleet.person()
    window = plan(fleet, WindowScope(terminals=[terminal]))

    def act(number: int) -> object:
        if number % 2:
            return services.roll_over(later(HOUR))
        with transaction.atomic():
            return services.extend(window, until=later(2 * HOUR), by=person, at=later(HOUR - 1))

    run_concurrently(6, act)

    window.refresh_from_db()
    was_extended = window.occurs_until == later(2 * HOUR)
    assert window.ended_at == (None if was_extended else later(HOUR))
