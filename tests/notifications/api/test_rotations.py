"""Who is on call, over the API."""

from datetime import timedelta

import pytest

from tests.api.conftest import problem, wrong
from tests.builders import now
from tms.accounts.models import User
from tms.notifications.rotation import Cover, Rotation
from tms.notifications.rotation_forms import save_members

pytestmark = pytest.mark.both


@pytest.fixture
def rotation(watcher, fleet) -> Rotation:
    """Aiko and Ken take turns of a week; Aiko's began a day ago."""
    made = Rotation.objects.create(
        name="NOC", time_zone="UTC", starts_on=now().date() - timedelta(days=1), handover_at="00:00"
    )
    save_members(made, [User.objects.get(username="aiko"), fleet.person("ken")])
    return made


def test_a_rotation_tells_who_is_on_call(watcher, rotation):
    [listed] = watcher.get("/rotations").json()["items"]
    told = watcher.get(f"/rotations/{rotation.pk}").json()

    assert (listed["name"], listed["members"], listed["on_call"]["person"]) == ("NOC", ["aiko", "ken"], "aiko")
    assert told == listed | {"covers": []}


def test_turns_follow_one_another_without_a_gap(watcher, rotation):
    turns = watcher.get(f"/rotations/{rotation.pk}/turns", {"days": 18}).json()["turns"]

    assert [turn["person"] for turn in turns] == ["aiko", "ken", "aiko"]
    assert [turn["until"] for turn in turns[:-1]] == [turn["since"] for turn in turns[1:]]


def test_before_it_begins_nobody_is_on_call(watcher, rotation):
    Rotation.objects.update(starts_on=now().date() + timedelta(days=2))

    on_call = watcher.get(f"/rotations/{rotation.pk}").json()["on_call"]
    assert (on_call["person"], on_call["since"]) == (None, None)


def test_somebody_covers_and_takes_it_back(watcher, rotation):
    path, at = f"/rotations/{rotation.pk}", now()
    span = {"since": (at - timedelta(hours=1)).isoformat(), "until": (at + timedelta(hours=1)).isoformat()}

    made = watcher.post(f"{path}/covers", {"person": "ken", **span})
    told = watcher.get(path).json()
    gone = watcher.send("DELETE", f"{path}/covers/{made.json()['id']}")

    assert made.status_code == 201
    assert Cover.objects.count() == 0
    assert (told["on_call"]["person"], told["on_call"]["is_cover"]) == ("ken", True)
    assert told["covers"] == [made.json()]
    assert gone.status_code == 204
    assert problem(watcher.send("DELETE", f"{path}/covers/{made.json()['id']}")) == (404, "tms:not-found")


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
def test_a_cover_that_cannot_be_is_refused_with_where(watcher, rotation, change, where):
    body = {"person": "ken", "since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z"}

    assert wrong(watcher.post(f"/rotations/{rotation.pk}/covers", body | change)) == [where]


def test_the_number_of_queries_does_not_grow_with_the_page(watcher, rotation, django_assert_max_num_queries):
    for number in range(5):
        made = Rotation.objects.create(name=f"R{number}", starts_on=now().date(), handover_at="09:00")
        save_members(made, [User.objects.get(username="ken")])

    with django_assert_max_num_queries(10):
        assert len(watcher.get("/rotations").json()["items"]) == 6
