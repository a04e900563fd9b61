"""Maintenance windows over the API: in local times of the zone of the window."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support.builders import now
from tests.support.rest import invalid_fields, problem_of
from tms.alerts.models import Window

pytestmark = pytest.mark.both
TOKYO = ZoneInfo("Asia/Tokyo")


def wall(hours: float) -> str:
    """The local time in Tokyo so many hours from now."""
    return (now() + timedelta(hours=hours)).astimezone(TOKYO).replace(tzinfo=None, microsecond=0).isoformat()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def plan(fleet) -> dict:
    fleet.terminal(uid="T-9")
    fleet.group("Lobby")
    return {
        "note": "new switch",
        "sites": ["SJK"],
        "time_zone": "Asia/Tokyo",
        "starts_at": wall(-1),
        "ends_at": wall(1),
    }


def test_a_window_is_planned_and_returned(watcher, plan):
    made = watcher.post("/maintenance", plan | {"groups": ["Lobby"], "terminals": ["T-9"]})

    assert made.status_code == 201, made.content
    result = watcher.get(made["Location"]).json()
    assert result == made.json()
    assert (result["sites"], result["groups"], result["terminals"]) == (["SJK"], ["Lobby"], ["T-9"])
    assert (result["is_active"], result["length_s"], result["created_by"], result["ended_at"]) == (
        True,
        7200,
        "aiko",
        None,
    )
    assert result["starts_at"] == plan["starts_at"]
    assert instant(result["occurs_at"]) == datetime.fromisoformat(plan["starts_at"]).replace(tzinfo=TOKYO)


def test_an_occurrence_is_extended_and_ended_and_the_window_cancelled(watcher, plan):
    path = watcher.post("/maintenance", plan | {"rrule": "FREQ=DAILY"})["Location"]
    until = now().replace(microsecond=0) + timedelta(hours=3)

    extended = watcher.post(f"{path}/extend", {"until": until.isoformat()}).json()
    ended = watcher.post(f"{path}/end").json()
    again = watcher.post(f"{path}/end")
    cancelled = watcher.post(f"{path}/cancel").json()

    assert instant(extended["occurs_until"]) == until
    assert (ended["is_active"], ended["ended_at"], ended["changed_by"]) == (False, None, "aiko")
    assert problem_of(again) == (409, "tms:window-not-active")
    assert cancelled["ended_at"] is not None
    assert watcher.post(f"{path}/cancel").json() == cancelled


def test_windows_are_listed_the_newest_first_and_filtered_by_whether_they_are_past(watcher, plan):
    first, second = (watcher.post("/maintenance", plan).json()["id"] for _ in range(2))
    watcher.post(f"/maintenance/{first}/cancel")

    def ids(**query):
        return [window["id"] for window in watcher.get("/maintenance", query).json()["items"]]

    assert ids() == [second, first]
    assert (ids(is_past="true"), ids(is_past="false")) == ([first], [second])


def test_the_number_of_queries_does_not_grow_with_the_page(watcher, plan, django_assert_max_num_queries):
    for _ in range(5):
        watcher.post("/maintenance", plan)

    with django_assert_max_num_queries(8):
        assert len(watcher.get("/maintenance").json()["items"]) == 5


def test_a_preview_returns_occurrences_and_plans_nothing(watcher, plan):
    result = watcher.post("/maintenance/preview", plan | {"rrule": "FREQ=DAILY"}).json()["coming"]

    assert len(result) == 5
    assert instant(result[1]["since"]) - instant(result[0]["since"]) == timedelta(days=1)
    assert not Window.objects.exists()


BAD_PLANS = [
    ({"note": ""}, "$.note"),
    ({"sites": []}, "$"),
    ({"sites": ["NO"]}, "$.sites"),
    ({"groups": ["No"]}, "$.groups"),
    ({"terminals": ["NO-1"]}, "$.terminals"),
    ({"terminals": "T-9"}, "$.terminals"),
    ({"time_zone": "Mars/Base"}, "$.time_zone"),
    ({"time_zone": "../etc/passwd"}, "$.time_zone"),
    ({"time_zone": "America"}, "$.time_zone"),
    ({"starts_at": "2026-11-29T02:00:00Z"}, "$.starts_at"),
    ({"starts_at": "9999-12-31T00:00:00"}, "$.starts_at"),
    ({"starts_at": "0001-01-01T00:00:00"}, "$.starts_at"),
    ({"ends_at": "2026-01-01T00:00:00"}, "$.ends_at"),
    ({"ends_at": "2099-01-01T00:00:00"}, "$.ends_at"),
    ({"starts_at": "2020-01-01T00:00:00", "ends_at": "2020-01-01T01:00:00"}, "$.starts_at"),
    ({"rrule": "FREQ=HOURLY"}, "$.rrule"),
    ({"rrule": "FREQ=DAILY;COUNT=x"}, "$.rrule"),
    ({"rrule": "nonsense"}, "$.rrule"),
    ({"colour": "red"}, "$.colour"),
]


@pytest.mark.parametrize(("change", "where"), BAD_PLANS)
def test_an_invalid_plan_is_refused_with_its_location(watcher, plan, change, where):
    assert invalid_fields(watcher.post("/maintenance", plan | change)) == [where]
    assert not Window.objects.exists()


@pytest.mark.parametrize("until", ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "2026-11-29T02:00:00", 5, None])
def test_an_invalid_end_is_refused(watcher, plan, until):
    path = watcher.post("/maintenance", plan)["Location"]

    assert invalid_fields(watcher.post(f"{path}/extend", {"until": until})) == ["$.until"]
