"""The opening hours of a site, over the API."""

from datetime import timedelta

import pytest

from tests.support.builders import now
from tests.support.rest import invalid_fields, problem_of
from tms.fleet.models.opening_hours import HOLIDAY, OpeningHours, SpecialDay

pytestmark = pytest.mark.both

WEEK = {
    "holiday_calendar": "DE-BY",
    "on_holidays": "other",
    "week": [
        {"weekday": 0, "opens_at": "09:00:00", "closes_at": "12:00:00"},
        {"weekday": 0, "opens_at": "13:00:00", "closes_at": "02:00:00"},
        {"weekday": 5, "opens_at": "00:00:00", "closes_at": "00:00:00"},
    ],
    "holidays": [{"opens_at": "11:00:00", "closes_at": "15:00:00"}],
    "special_days": [
        {"first_on": "2026-12-30", "last_on": "2027-01-03", "opens_at": None, "closes_at": None, "note": "new year"},
        {"first_on": "2027-01-10", "last_on": None, "opens_at": "08:00:00", "closes_at": "10:00:00", "note": ""},
    ],
}


def test_a_site_without_opening_hours_is_always_open(watcher, fleet):
    fleet.site("OSK")

    result = watcher.get("/sites/OSK/hours").json()

    assert result == {
        "time_zone": "Asia/Tokyo",
        "holiday_calendar": "JP",
        "on_holidays": "as_usual",
        "week": [],
        "holidays": [],
        "special_days": [],
        "is_open": True,
        "next_change": None,
    }


def test_hours_are_replaced_and_read_back(editor, fleet):
    site = fleet.site("OSK")
    OpeningHours.objects.create(site=site, weekday=3, opens_at="01:00", closes_at="02:00")
    SpecialDay.objects.create(site=site, first_on="2026-01-01")

    message = editor.send("PATCH", "/sites/OSK/hours", WEEK)

    assert message.status_code == 200, message.content
    assert {name: message.json()[name] for name in WEEK} == WEEK
    assert editor.get("/sites/OSK/hours").json() == message.json()
    assert OpeningHours.objects.filter(site=site, weekday=HOLIDAY).count() == 1


def test_omitted_fields_stay_unchanged(editor, fleet):
    fleet.site("OSK")
    before = editor.send("PATCH", "/sites/OSK/hours", WEEK).json()

    after = editor.send("PATCH", "/sites/OSK/hours", {"special_days": []}).json()

    assert {name: after[name] for name in WEEK} == {name: before[name] for name in WEEK} | {"special_days": []}


def test_a_special_day_closes_it(editor, fleet):
    fleet.site("OSK", time_zone="UTC")
    today = now().date()

    message = editor.send("PATCH", "/sites/OSK/hours", {"special_days": [{"first_on": today.isoformat()}]}).json()

    assert message["is_open"] is False
    assert message["next_change"] == f"{today + timedelta(days=1)}T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"holiday_calendar": "XX"}, "$.holiday_calendar"),
        ({"holiday_calendar": "DE-XX"}, "$.holiday_calendar"),
        ({"on_holidays": "never"}, "$.on_holidays"),
        ({"week": [{"weekday": 7, "opens_at": "09:00", "closes_at": "10:00"}]}, "$.week[0].weekday"),
        ({"week": [{"weekday": 1, "opens_at": "09:00Z", "closes_at": "10:00"}]}, "$.week[0].opens_at"),
        ({"week": [{"weekday": 1, "opens_at": 32_400, "closes_at": "10:00"}]}, "$.week[0].opens_at"),
        ({"week": [{"weekday": 1, "opens_at": "9:00", "closes_at": "10:00"}]}, "$.week[0].opens_at"),
        ({"week": [{"weekday": 1, "opens_at": "09:00"}]}, "$.week[0].closes_at"),
        ({"week": [*WEEK["week"], WEEK["week"][1]]}, "$.week[3].opens_at"),
        ({"holidays": WEEK["holidays"] * 2}, "$.holidays[1].opens_at"),
        ({"special_days": [{"first_on": "2026-12-30", "last_on": "2026-12-29"}]}, "$.special_days[0]"),
        ({"special_days": [{"first_on": "2026-12-30", "opens_at": "09:00"}]}, "$.special_days[0]"),
        ({"special_days": [{"first_on": "2026-12-30", "last_on": "9999-12-31"}]}, "$.special_days[0].last_on"),
        ({"special_days": [{"first_on": "2026-12-30", "note": "x" * 101}]}, "$.special_days[0].note"),
        ({"week": [WEEK["week"][0]] * 101}, "$.week"),
        ({"colour": "red"}, "$.colour"),
    ],
)
def test_invalid_hours_are_refused_with_their_location_and_change_nothing(editor, fleet, change, where):
    fleet.site("OSK")
    before = editor.send("PATCH", "/sites/OSK/hours", WEEK).json()

    assert invalid_fields(editor.send("PATCH", "/sites/OSK/hours", WEEK | change)) == [where]

    assert editor.get("/sites/OSK/hours").json() == before


def test_people_without_the_permission_only_read_them(watcher, fleet):
    fleet.site("OSK")

    assert problem_of(watcher.send("PATCH", "/sites/OSK/hours", WEEK)) == (403, "tms:forbidden")
    assert problem_of(watcher.get("/sites/NIL/hours")) == (404, "tms:not-found")
