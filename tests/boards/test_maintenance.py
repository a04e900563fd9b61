"""Maintenance: the list, the form with its preview, and the actions on a window."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.support import factories
from tests.support.pages import HTMX_HEADERS, values_of
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models.maintenance import Window
from tms.lib.calendar.recurrence import Recurrence
from tms.lib.forms.recurrence import preset

pytestmark = pytest.mark.both

TOKYO = ZoneInfo("Asia/Tokyo")
FORM = {
    "note": "new router",
    "time_zone": "Asia/Tokyo",
    "starts_at": "2099-03-01T01:00",
    "ends_at": "2099-03-01T04:00",
    "repeats": "once",
    "rrule": "",
    "terminals": "T-1",
}


def plan(person, *, minutes: int = 0, rule: str = "", note: str = "new router", **scope) -> Window:
    """One hour that begins in `minutes`."""
    now = timezone.now().astimezone(TOKYO).replace(tzinfo=None)
    recurrence = Recurrence(TOKYO, now + timedelta(minutes=minutes), timedelta(hours=1), rule)
    return services.plan(recurrence, WindowScope(**scope), note=note, by=person, at=timezone.now() - timedelta(hours=3))


def test_the_list_shows_active_upcoming_and_past_windows(page, fleet, tanaka):
    terminal = fleet.terminal(uid="T-1")
    on = plan(tanaka, minutes=-10, terminals=[terminal])
    coming = plan(tanaka, minutes=60, sites=[terminal.site], rule="FREQ=DAILY", note="nightly")
    over = plan(tanaka, minutes=-120, terminals=[terminal], note="done")
    services.roll_over(timezone.now())

    seen = page("/maintenance/")

    assert seen.rows("window-") == [f"window-{each.pk}" for each in (on, coming, over)]
    assert "new router T-1 M. Tanaka" in seen.text(f"window-{on.pk}")
    assert "End now" in seen.text(f"window-{on.pk}")
    assert "every day" in seen.text(f"window-{coming.pk}")
    assert "Site SJK" in seen.text(f"window-{coming.pk}")
    assert "End now" not in seen.text(f"window-{over.pk}")


def test_the_list_shows_that_nothing_is_planned(page, fleet):
    seen = page("/maintenance/")

    assert seen.text("no-windows-on") == "No maintenance in progress."


def test_maintenance_is_planned_by_a_plain_form(browser, fleet, tanaka):
    terminal, site = fleet.terminal(uid="T-1"), fleet.site("UMD")

    answer = browser.post("/maintenance/new/", FORM | {"sites": ["UMD"], "repeats": "weekly"})

    window = Window.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/maintenance/")
    assert (window.note, window.created_by, window.rrule) == ("new router", tanaka, "FREQ=WEEKLY;BYDAY=SU")
    assert (list(window.sites.all()), list(window.terminals.all())) == ([site], [terminal])
    assert window.occurs_at == datetime(2099, 3, 1, 1, tzinfo=TOKYO)
    assert window.occurs_until == datetime(2099, 3, 1, 4, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"note": ""}, "This field is required."),
        ({"terminals": ""}, "Choose at least one site, group or terminal."),
        ({"terminals": "T-1 T-9"}, "Unknown terminals: T-9. Check the UIDs."),
        ({"ends_at": "2099-03-01T01:00"}, "The end must be after the start."),
        ({"ends_at": "2099-05-01T01:00"}, "The duration must not exceed 31 days."),
        ({"starts_at": "2001-03-01T01:00", "ends_at": "2001-03-01T02:00"}, "No upcoming occurrence"),
        ({"sites": "UMD NO"}, "Unknown sites: UMD, NO. Check the codes."),
        ({"repeats": "daily", "ends": "date"}, "Enter the last day."),
        ({"repeats": "custom", "ends": "times"}, "Enter how many times."),
        ({"repeats": "custom", "every": "0"}, "greater than or equal to 1"),
        ({"repeats": "rule", "rrule": "FREQ=HOURLY"}, "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
    ],
)
def test_invalid_plans_are_refused_beside_the_field(browser, fleet, wrong, message):
    fleet.terminal(uid="T-1")

    answer = browser.post("/maintenance/new/", FORM | wrong)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Window.objects.exists()


def test_a_preview_shows_the_next_five_and_plans_nothing(browser, fleet):
    """The window is across the clock change of 2099-03-29 in Berlin."""
    fleet.terminal(uid="T-1", site=fleet.site("BER", time_zone="Europe/Berlin"))
    form = FORM | {"time_zone": "Europe/Berlin", "repeats": "daily"}
    form |= {"starts_at": "2099-03-27T02:30", "ends_at": "2099-03-27T04:00"}

    plain = browser.post("/maintenance/new/", form | {"preview": "1"}).content.decode()
    partial = browser.post("/maintenance/preview/", form, headers=HTMX_HEADERS).content.decode()

    begins = ["27T01:30", "28T01:30", "29T01:00", "30T00:30", "31T00:30"]
    for html in (plain, partial):
        assert html.count("2099-03-") - html.count('value="2099') >= 10
        assert [begin for begin in begins if f"2099-03-{begin}:00Z" in html] == begins
    assert not Window.objects.exists()


@pytest.mark.parametrize(("query", "zone"), [("terminal=T-1", "Europe/Berlin"), ("site=BER", "Europe/Berlin")])
def test_a_link_fills_in_the_site_and_its_local_time(page, fleet, query, zone):
    fleet.terminal(uid="T-1", site=fleet.site("BER", time_zone="Europe/Berlin"))

    seen = page(f"/maintenance/new/?{query}")

    there = timezone.now().astimezone(ZoneInfo(zone))
    assert f'<option value="{zone}" selected>' in " ".join(seen.html.split()).replace(" >", ">")
    assert seen.attribute("id_starts_at", "value")[:13] in (
        f"{there:%Y-%m-%d %H}",
        f"{there - timedelta(minutes=1):%Y-%m-%d %H}",
    )


@pytest.mark.parametrize(
    ("repeats", "day", "rule"),
    [
        ("monthly", "2026-11-08", "FREQ=MONTHLY;BYDAY=2SU"),
        ("monthly", "2026-11-29", "FREQ=MONTHLY;BYDAY=-1SU"),
        ("weekly", "2026-11-25", "FREQ=WEEKLY;BYDAY=WE"),
        ("workdays", "2026-11-25", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("once", "2026-11-25", ""),
    ],
)
def test_a_choice_becomes_a_recurrence_rule(repeats, day, rule):
    found = preset(repeats, date.fromisoformat(day))

    assert (found.rule if found else "") == rule


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"repeats": "daily", "ends": "times", "times": "3"}, "FREQ=DAILY;COUNT=3"),
        ({"repeats": "weekly", "ends": "date", "last_on": "2099-12-31"}, "FREQ=WEEKLY;BYDAY=SU;UNTIL=20991231"),
        ({"every": "2", "unit": "WEEKLY", "weekdays": ["1", "0"]}, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"),
        ({"unit": "WEEKLY"}, "FREQ=WEEKLY;BYDAY=SU"),
        ({"unit": "MONTHLY", "month_day": "weekday", "nth": "2", "weekday": "6"}, "FREQ=MONTHLY;BYDAY=2SU"),
        ({"unit": "MONTHLY", "month_day": "last"}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ({"unit": "MONTHLY", "month_day": "same"}, "FREQ=MONTHLY"),
        ({"every": "1", "unit": "YEARLY"}, "FREQ=YEARLY"),
        ({"repeats": "rule", "rrule": "FREQ=YEARLY;BYWEEKNO=20"}, "FREQ=YEARLY;BYWEEKNO=20"),
    ],
)
def test_a_recurrence_is_planned_without_icalendar(browser, fleet, fields, rule):
    fleet.terminal(uid="T-1")

    browser.post("/maintenance/new/", FORM | {"repeats": "custom"} | fields)

    assert Window.objects.get().rrule == rule


@pytest.mark.parametrize(
    ("rule", "choice"),
    [("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU", "custom"), ("FREQ=DAILY", "daily"), ("FREQ=YEARLY;BYWEEKNO=20", "rule")],
)
def test_a_window_is_planned_again_with_its_recurrence(browser, page, fleet, tanaka, rule, choice):
    """A rule that the form cannot express is shown as text, and stays."""
    window = plan(tanaka, minutes=-10, terminals=[fleet.terminal(uid="T-1")], rule=rule)
    services.cancel(window, by=tanaka, at=timezone.now())

    seen = page(f"/maintenance/new/?window={window.pk}")
    sent = {name: values for name, values in values_of(seen).items() if name != "preview"}
    browser.post("/maintenance/new/", sent)

    assert sent["repeats"] == [choice]
    assert (rule in seen.html) == (choice == "rule")
    assert list(Window.objects.values_list("rrule", flat=True)) == [rule, rule]
    assert [one.terminals.get().uid for one in Window.objects.all()] == ["T-1", "T-1"]


def test_a_window_is_extended_ended_and_cancelled_by_its_buttons(browser, fleet, tanaka):
    window = plan(tanaka, minutes=-10, terminals=[fleet.terminal()], rule="FREQ=DAILY")
    address, until = f"/maintenance/{window.pk}/", window.occurs_until

    browser.post(f"{address}extend/", {"minutes": "30"})
    window.refresh_from_db()
    extended = window.occurs_until
    browser.post(f"{address}end/")
    window.refresh_from_db()
    ended = (window.occurs_at > timezone.now(), window.ended_at)
    browser.post(f"{address}cancel/")
    window.refresh_from_db()

    assert extended - until == timedelta(minutes=30)
    assert ended == (True, None)
    assert window.ended_at is not None
    assert window.changed_by == tanaka


def test_a_window_that_ended_meanwhile_is_reported_and_not_extended(browser, fleet, tanaka):
    window = plan(tanaka, minutes=60, terminals=[fleet.terminal()])

    answers = [browser.post(f"/maintenance/{window.pk}/{act}/", {"minutes": "30"}) for act in ("extend", "end")]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert all("someone else changed it" in answer.content.decode() for answer in answers)


@pytest.mark.parametrize("note", ["new router", ""])
def test_the_preview_shows_the_impact_of_the_scope_even_without_a_purpose(browser, fleet, note):
    gate = fleet.online(uid="T-1", kind="gate")
    factories.alert(fleet, terminal=fleet.online(site=gate.site), severity="critical")
    form = FORM | {"note": note, "sites": [gate.site.code], "terminals": ""}

    html = browser.post("/maintenance/preview/", form, headers=HTMX_HEADERS).content.decode()

    text = " ".join(html.split())
    assert "Takes down the last working lane at 1 open site" in text
    assert "Terminals: 2 of 2" in text
    assert "Suppresses 1 critical alert" in text
    assert "at the start," in text


def test_the_extension_of_a_window_shows_its_impact_first(browser, fleet, tanaka):
    window = plan(tanaka, minutes=-10, terminals=[fleet.online()])

    answer = browser.get(f"/maintenance/{window.pk}/extend/?minutes=30", headers=HTMX_HEADERS)

    assert answer.status_code == 200
    assert "Takes down the last working lane at 1 open site" in " ".join(answer.content.decode().split())
    assert Window.objects.get().occurs_until == window.occurs_until


def test_a_window_that_another_person_extended_is_shown_again(browser, fleet, tanaka):
    window = plan(tanaka, minutes=-10, terminals=[fleet.online()])
    seen = window.occurs_until.isoformat()
    browser.post(f"/maintenance/{window.pk}/extend/", {"minutes": "30", "seen_until": seen})

    answer = browser.post(f"/maintenance/{window.pk}/extend/", {"minutes": "30", "seen_until": seen})

    assert answer.status_code == 409
    assert "It changed in the meantime." in answer.content.decode()
    assert Window.objects.get().occurs_until == window.occurs_until + timedelta(minutes=30)


def test_a_check_names_the_errors_of_the_fields_that_were_left_and_plans_nothing(browser, fleet):
    fleet.terminal(uid="T-1")
    wrong = FORM | {"note": "", "terminals": "T-9", "sites": ["UMD"], "_left": ["note", "terminals", "time_zone"]}

    html = browser.post("/maintenance/new/?check=1", wrong).content.decode()
    browser.post("/maintenance/new/?check=1", FORM)

    assert "This field is required." in html
    assert "Unknown terminals: T-9" in html
    assert "Unknown sites" not in html
    assert 'id="id_time_zone_error" role="alert" data-field="time_zone"></p>' in html
    assert not Window.objects.exists()


def test_the_calendar_shows_past_and_planned_windows_by_day(page, fleet, tanaka):
    terminal = fleet.terminal()
    daily = plan(tanaka, minutes=30, terminals=[terminal], rule="FREQ=DAILY", note="nightly")
    plan(tanaka, minutes=45, terminals=[terminal], note="router")
    start = timezone.localdate()

    seen = page(f"/maintenance/calendar/?from={start.isoformat()}&days=28")
    empty = page("/maintenance/calendar/?from=2001-01-01")

    assert seen.html.count(f'href="/maintenance/#window-{daily.pk}"') in (2 * 28 + 28, 2 * 27 + 27)
    assert "Overlaps another window" in seen.html
    assert "Times in Asia/Tokyo" in seen.html
    assert "No maintenance in this period." in empty.html


def test_windows_that_share_no_terminal_do_not_overlap(page, fleet, tanaka):
    for note in ("router", "printer"):
        plan(tanaka, minutes=45, terminals=[fleet.terminal()], note=note)

    assert "Overlaps another window" not in page("/maintenance/calendar/").html


@pytest.mark.parametrize("query", ["from=0001-01-01", "from=9999-12-31", "from=x&days=-1", "days=99999999999"])
def test_the_calendar_answers_any_address(page, fleet, tanaka, query):
    plan(tanaka, minutes=30, terminals=[fleet.terminal()], rule="FREQ=DAILY")

    assert page(f"/maintenance/calendar/?{query}").html
