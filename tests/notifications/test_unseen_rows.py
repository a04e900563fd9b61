"""What a person does not see stays when they change something else of the same policy, rotation or destination."""

from typing import Any

import pytest

from tests.support import people
from tests.support.notifications.destinations import webhook_destination
from tests.support.rest import ApiClient, invalid_fields
from tms.accounts.models import User
from tms.fleet.models import Site
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation
from tms.notifications.rotations.services import save_members

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def shinjuku(fleet) -> Site:
    return fleet.site("SJK")


@pytest.fixture
def kansai(fleet) -> Site:
    return fleet.site("KIX")


@pytest.fixture
def lead(shinjuku) -> User:
    """Leads one site."""
    made = people.person("lead", of=None)
    people.grant(made, "Lead", site=shinjuku)
    return made


@pytest.fixture
def colleague(kansai) -> User:
    """A colleague of another site, which the lead does not see."""
    made = people.person("sato", of=None)
    people.grant(made, "Operator", site=kansai)
    return made


@pytest.fixture
def shared(policy, shinjuku, kansai) -> Policy:
    """The second step only has a destination of the other site."""
    mine = webhook_destination("https://a.example.com/", "Mine", owner_site=shinjuku)
    theirs = webhook_destination("https://b.example.com/", "Theirs", owner_site=kansai)
    steps = (0, [mine, theirs]), (900, [theirs])
    return policy(*steps, name="NOC", owner_site=shinjuku, sites=[shinjuku, kansai])


def steps_of(policy: Policy) -> list[tuple[float, set[str]]]:
    rows = policy.steps.order_by("position")
    return [(step.after_s, {one.name for one in step.destinations.all()}) for step in rows]


def rename_over_rest(lead: User, row: Policy) -> int:
    return ApiClient.of(lead).send("PATCH", f"/policies/{row.pk}", {"name": "Night"}).status_code


def rename_on_page(lead: User, row: Policy) -> int:
    form: dict[str, Any] = {"name": "Night", "enabled": "on", "delay_s": "0", "group_wait_s": "5", "sites": ["SJK"]}
    form |= {"steps-TOTAL_FORMS": "4", "steps-INITIAL_FORMS": "2", "steps-0-after_min": "0", "steps-1-after_min": "15"}
    mine = row.steps.get(position=0).destinations.get(name="Mine")
    answer = people.signed_in(lead).post(row.get_absolute_url(), form | {"steps-0-destinations": [mine.pk]})
    return answer.status_code


@pytest.mark.parametrize(("rename", "status"), [(rename_over_rest, 200), (rename_on_page, 302)])
def test_a_policy_keeps_the_destinations_and_sites_of_others(lead, shared, rename, status):
    assert rename(lead, shared) == status

    shared.refresh_from_db()
    assert shared.name == "Night"
    assert steps_of(shared) == [(0, {"Mine", "Theirs"}), (900, {"Theirs"})]
    assert {site.code for site in shared.sites.all()} == {"SJK", "KIX"}


def test_steps_of_others_stay_when_something_else_is_changed(lead, shared):
    shared.steps.get(position=0).destinations.get(name="Mine").delete()

    assert rename_over_rest(lead, shared) == 200

    assert steps_of(shared) == [(0, {"Theirs"}), (900, {"Theirs"})]


def test_a_policy_is_not_given_to_others(lead, shared):
    answer = ApiClient.of(lead).send("PATCH", f"/policies/{shared.pk}", {"owner": {}})

    assert invalid_fields(answer) == ["$.owner"]


def test_a_step_without_a_destination_that_the_person_sees_is_listed_without(lead, shared):
    [listed] = ApiClient.of(lead).get("/policies").json()["items"]

    assert [len(step["destinations"]) for step in listed["steps"]] == [1, 0]


@pytest.fixture
def rota(lead, colleague, shinjuku) -> Rotation:
    made = Rotation.objects.create(name="Night", starts_on="2026-11-23", handover_at="09:00", owner_site=shinjuku)
    save_members(made, [lead, colleague])
    return made


def test_a_rotation_keeps_the_people_of_others_and_may_order_them(lead, colleague, rota):
    form = {"name": "Night", "time_zone": "Asia/Tokyo", "starts_on": "2026-11-23", "handover_at": "10:00"}
    form |= {"every_days": "7", "members-TOTAL_FORMS": "8", "members-INITIAL_FORMS": "2"}
    order = {"members-0-person": colleague.pk, "members-1-person": lead.pk}

    answer = people.signed_in(lead).post(rota.get_absolute_url(), form | order)

    assert answer.status_code == 302
    assert list(rota.members.values_list("person__username", flat=True)) == ["sato", "lead"]
    result = ApiClient.of(lead).send("PATCH", f"/rotations/{rota.pk}", {"members": ["lead", "sato"]})
    assert result.json()["members"] == ["lead", "sato"]


def test_people_of_others_cannot_be_added(lead, colleague, rota):
    save_members(rota, [lead])

    answer = ApiClient.of(lead).send("PATCH", f"/rotations/{rota.pk}", {"members": ["lead", "sato"]})

    assert answer.status_code == 422
    assert list(rota.members.values_list("person__username", flat=True)) == ["lead"]


@pytest.mark.parametrize("is_disabled", [False, True])
def test_a_destination_keeps_its_person(lead, colleague, shinjuku, is_disabled):
    hook = webhook_destination("https://a.example.com/", "Mine", owner_site=shinjuku, person=colleague)
    User.objects.filter(pk=colleague.pk).update(is_active=not is_disabled)
    form = {"name": "Hook", "where": "", "language": "en", "enabled": "on", "person": colleague.pk}

    answer = people.signed_in(lead).post(hook.get_absolute_url(), form)

    hook.refresh_from_db()
    assert (answer.status_code, hook.name, hook.person_id) == (302, "Hook", colleague.pk)
    result = ApiClient.of(lead).send("PATCH", f"/destinations/{hook.pk}", {"enabled": False})
    assert (result.status_code, result.json()["person"]) == (200, "sato")
