"""Who is on call, over the API."""

from datetime import timedelta
from unittest.mock import ANY

import pytest

from tests.support.builders import now
from tests.support.rest import invalid_fields, problem_of
from tms.accounts.models import User
from tms.notifications.models.rotation import Cover, Rotation
from tms.notifications.rotations.services import save_members

pytestmark = pytest.mark.both


@pytest.fixture
def rotation(watcher, fleet) -> Rotation:
    """Aiko and Ken alternate weekly; Aiko's shift began a day ago."""
    made = Rotation.objects.create(
        name="NOC", time_zone="UTC", starts_on=now().date() - timedelta(days=1), handover_at="00:00"
    )
    save_members(made, [User.objects.get(username="aiko"), fleet.person("ken")])
    return made


def test_a_rotation_returns_who_is_on_call(watcher, rotation):
    [listed] = watcher.get("/rotations").json()["items"]
    result = watcher.get(f"/rotations/{rotation.pk}").json()

    assert (listed["name"], listed["members"], listed["on_call"]["person"]) == ("NOC", ["aiko", "ken"], "aiko")
    assert result == listed | {"covers": []}


def test_on_call_shifts_follow_one_another_without_a_gap(watcher, rotation):
    shifts = watcher.get(f"/rotations/{rotation.pk}/shifts", {"days": 18}).json()["shifts"]

    assert [shift["person"] for shift in shifts] == ["aiko", "ken", "aiko"]
    assert [shift["until"] for shift in shifts[:-1]] == [shift["since"] for shift in shifts[1:]]


def test_before_it_begins_no_one_is_on_call(watcher, rotation):
    Rotation.objects.update(starts_on=now().date() + timedelta(days=2))

    on_call = watcher.get(f"/rotations/{rotation.pk}").json()["on_call"]
    assert (on_call["person"], on_call["since"]) == (None, None)


def test_an_override_is_added_and_deleted(watcher, rotation):
    path, at = f"/rotations/{rotation.pk}", now()
    span = {"since": (at - timedelta(hours=1)).isoformat(), "until": (at + timedelta(hours=1)).isoformat()}

    made = watcher.post(f"{path}/covers", {"person": "ken", **span})
    result = watcher.get(path).json()
    gone = watcher.send("DELETE", f"{path}/covers/{made.json()['id']}")

    assert made.status_code == 201
    assert Cover.objects.count() == 0
    assert (result["on_call"]["person"], result["on_call"]["is_cover"]) == ("ken", True)
    assert result["covers"] == [made.json()]
    assert gone.status_code == 204
    assert problem_of(watcher.send("DELETE", f"{path}/covers/{made.json()['id']}")) == (404, "tms:not-found")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"person": "nobody"}, "$.person"),
        ({"until": "2026-11-01T00:00:00Z"}, "$.until"),
        ({"until": "2099-11-01T00:00:00Z"}, "$.until"),
        ({"since": "2026-11-20T00:00:00"}, "$.since"),
        ({"colour": "red"}, "$.colour"),
    ],
)
def test_an_invalid_override_is_refused_with_its_location(watcher, rotation, change, where):
    body = {"person": "ken", "since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z"}

    assert invalid_fields(watcher.post(f"/rotations/{rotation.pk}/covers", body | change)) == [where]


def test_a_rotation_is_created_changed_and_deleted(editor, fleet):
    fleet.person("aiko"), fleet.person("ken")
    body = {"name": "Nights", "starts_on": "2026-11-02", "handover_at": "21:00", "members": ["ken", "aiko", "ken"]}

    made = editor.post("/rotations", body)
    path = f"/rotations/{made.json()['id']}"
    changed = editor.send("PATCH", path, {"weekdays": [0, 3], "members": ["aiko"]})
    renamed = editor.send("PATCH", path, {"name": "Late"})
    gone = editor.send("DELETE", path)

    assert (made.status_code, made["Location"]) == (201, f"/api/v1{path}")
    assert made.json()["members"] == ["ken", "aiko", "ken"]
    assert (made.json()["handover_at"], made.json()["time_zone"]) == ("21:00:00", "Asia/Tokyo")
    assert changed.json() == made.json() | {"weekdays": [0, 3], "members": ["aiko"], "on_call": ANY}
    assert renamed.json() == changed.json() | {"name": "Late"}
    assert gone.status_code == 204
    assert editor.get(path).status_code == 404


def test_a_disabled_member_does_not_prevent_a_new_name(editor, rotation):
    User.objects.filter(username="ken").update(is_active=False)

    changed = editor.send("PATCH", f"/rotations/{rotation.pk}", {"name": "Days"})

    assert (changed.json()["name"], changed.json()["members"]) == ("Days", ["aiko", "ken"])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"members": ["nobody"]}, "$.members"),
        ({"members": []}, "$.members"),
        ({"members": ["aiko"] * 9}, "$.members"),
        ({"name": "NOC"}, "$.name"),
        ({"name": ""}, "$.name"),
        ({"time_zone": "Mars/Olympus"}, "$.time_zone"),
        ({"handover_at": "25:00"}, "$.handover_at"),
        ({"handover_at": "09:00Z"}, "$.handover_at"),
        ({"every_days": 0}, "$.every_days"),
        ({"every_days": 29}, "$.every_days"),
        ({"weekdays": [7]}, "$.weekdays[0]"),
        ({"colour": "red"}, "$.colour"),
    ],
)
def test_an_invalid_rotation_is_refused_with_its_location(editor, rotation, change, where):
    other = {"name": "Nights", "starts_on": "2026-11-02", "handover_at": "21:00", "members": ["ken"]}
    made = editor.post("/rotations", other).json()

    assert invalid_fields(editor.post("/rotations", other | {"name": "Late"} | change)) == [where]
    assert invalid_fields(editor.send("PATCH", f"/rotations/{made['id']}", change)) == [where]
    assert editor.get(f"/rotations/{made['id']}").json() == made


def test_people_without_the_permission_change_no_rotation(watcher, rotation):
    body = {"name": "Nights", "starts_on": "2026-11-02", "handover_at": "21:00", "members": ["ken"]}
    path = f"/rotations/{rotation.pk}"

    assert problem_of(watcher.post("/rotations", body)) == (403, "tms:forbidden")
    assert problem_of(watcher.send("PATCH", path, {"name": "X"})) == (403, "tms:forbidden")
    assert problem_of(watcher.send("DELETE", path)) == (403, "tms:forbidden")


def test_the_number_of_queries_does_not_grow_with_the_page(watcher, rotation, django_assert_max_num_queries):
    for number in range(5):
        made = Rotation.objects.create(name=f"R{number}", starts_on=now().date(), handover_at="09:00")
        save_members(made, [User.objects.get(username="ken")])

    with django_assert_max_num_queries(10):
        assert len(watcher.get("/rotations").json()["items"]) == 6
