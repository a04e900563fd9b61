"""Rollouts over REST."""

import msgspec
import pytest

from tests.support import people
from tests.support.artifacts import make_artifact
from tests.support.factories import now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tests.support.rollouts import make_rollout
from tms.accounts.models import AuditEntry, User
from tms.approvals.clearance import NotAgreed
from tms.rollouts import approvals, runner, services
from tms.rollouts.approvals import LargeRollout
from tms.rollouts.models import Rollout, RolloutItem, RolloutState
from tms.rollouts.pages.forms import first_values
from tms.rollouts.schemas import RolloutBody
from tms.rollouts.values import RolloutValues

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(fleet) -> User:
    return people.person("lead", of="Manager")


@pytest.fixture
def client(lead) -> ApiClient:
    return ApiClient.of(lead)


def body(**more):
    return {"name": "Kiosks", "artifacts": [make_artifact().pk], "query": "kind:kiosk", "hours": "any"} | more


def test_a_rollout_is_created_once_for_a_key_previewed_read_and_controlled(fleet, client):
    terminals = fleet.terminals_online(4, model="KX-21", features=["update"], firmware="4.8.1")
    wanted = body(approval="none")

    preview = client.post("/rollouts/preview", wanted).json()
    made, again = (client.post("/rollouts", wanted, Idempotency_Key="k") for _ in range(2))
    runner.advance(now())
    path = f"/rollouts/{made.json()['id']}"
    read = client.get(path).json()
    items = client.get(f"{path}/items?state=ordered").json()["items"]
    verbs = ("pause", "pause", "resume", "cancel", "cancel")
    moved = [client.post(f"{path}/{verb}", {} if verb == "cancel" else None).json()["state"] for verb in verbs]
    over = client.post(f"{path}/resume")

    assert (preview["terminals"], preview["sites"], preview["waves"]) == (4, 1, [1, 0, 2, 0, 1])
    assert (made.status_code, again.json(), Rollout.objects.count()) == (201, made.json(), 1)
    assert [wave["kind"] for wave in read["waves"]] == ["canary", "share", "held_back"]
    assert (read["counts"], read["started_by"]) == ({"ordered": 1, "waiting": 3}, "lead")
    assert {item["terminal"] for item in items} <= {terminal.uid for terminal in terminals}
    assert moved == ["paused", "paused", "running", "cancelled", "cancelled"]
    assert problem_of(over) == (409, "tms:rollout-over")
    recorded = AuditEntry.objects.filter(subject_type="rollouts.rollout").order_by("pk")
    assert list(recorded.values_list("action", flat=True)) == ["created", "paused", "resumed", "cancelled"]


def test_what_a_body_leaves_out_is_as_on_the_page_and_in_code(lead):
    given = RolloutBody(name="Kiosks", query="kind:kiosk").values(lead, at=now())

    chosen = RolloutValues("Kiosks", given.until, query="kind:kiosk")
    drawn = first_values(now())
    assert RolloutBody.of(given) == RolloutBody.of(chosen)
    assert (drawn["measures"], drawn["failed_pct"]) == (list(given.measures), given.failures.above_pct)


WRONG = [
    ({"artifacts": [99]}, ["$.artifacts"]),
    ({"artifacts": []}, ["$.artifacts"]),
    ({"query": "kindd:kiosk"}, ["$.query"]),
    ({"query": "", "terminals": ["nobody"]}, ["$.terminals"]),
    ({"query": ""}, ["$.query"]),
    ({"until": "2001-01-01T00:00:00Z"}, ["$.until"]),
    ({"waves": [{"kind": "share", "size": 10}]}, ["$.waves"]),
    ({"waves": [{"kind": "share", "size": 0}, {"kind": "rest"}]}, ["$.waves"]),
    ({"measures": ["mood"]}, ["$.measures"]),
    ({"at_once": 0}, ["$.at_once"]),
]


@pytest.mark.parametrize(("wrong", "where"), WRONG)
def test_what_is_wrong_with_a_rollout_is_said_where_it_is(client, wrong, where):
    assert invalid_fields(client.post("/rollouts", body() | wrong)) == where


def test_a_large_rollout_needs_a_second_person(fleet, client, lead, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals_online(3, model="KX-21", features=["update"])
    wanted = body()

    with pytest.raises(NotAgreed):
        services.create(RolloutBody(**wanted).values(lead, at=now()), by=lead, at=now())
    refused = client.post("/rollouts", wanted)
    confirmed = client.post("/rollouts", wanted | {"confirm": 3})

    assert problem_of(refused) == (409, "tms:confirmation-needed")
    assert (confirmed.status_code, Rollout.objects.get().first_number) == (201, 3)


def test_an_approved_rollout_is_the_one_that_was_asked_for(fleet, lead):
    fleet.terminals_online(3, model="KX-21", features=["update"])
    made = services.create(values := RolloutBody(**body()).values(lead, at=now()), by=lead, at=now())
    services.cancel(made, by=lead, at=now())
    kept = RolloutBody.of(values)
    payload = approvals.payload_of_new(kept, services.members_of(made, by=lead, at=now()))
    stored = msgspec.convert(msgspec.to_builtins(payload), approvals.RolloutPayload)

    performed = LargeRollout().perform(stored, by=lead, at=now())

    assert performed == 3
    first, second = Rollout.objects.order_by("pk")
    same = ("name", "query", "hours", "until", "measures", "failed_pct", "postpone_s")
    assert [getattr(first, name) for name in same] == [getattr(second, name) for name in same]


def test_a_wave_is_approved_in_the_browser_only(fleet, lead):
    fleet.terminals_online(4, model="KX-21", features=["update"])
    made = make_rollout(lead, at=now(), approval="first", started=False)
    other = ApiClient.of(people.person("other", of="Manager"))

    assert other.post(f"/rollouts/{made.pk}/waves/1/approve", {}).status_code == 404


def test_a_stopped_rollout_is_continued_by_two_people_or_rolled_back(fleet, client, lead):
    fleet.terminals_online(2, model="KX-21", features=["update"], firmware="4.8.1")
    make_artifact(version="4.8.1")
    made = make_rollout(lead, at=now(), query="kind:kiosk")
    services.stop(made, at=now(), reason="effects")
    RolloutItem.objects.filter(state="ordered").update(state="done", updated_at=now())
    path = f"/rollouts/{made.pk}"

    refused = client.post(f"{path}/continue", {"reason": "chance"})
    continued = client.post(f"{path}/continue", {"reason": "chance", "leave_out": ["restarts"], "confirm": 2})
    back = client.post(f"{path}/roll-back", {"reason": "restarts"})
    again = client.post(f"{path}/roll-back", {})

    assert problem_of(refused) == (409, "tms:confirmation-needed")
    assert (continued.json()["state"], "restarts" in continued.json()["measures"]) == ("running", False)
    assert (back.status_code, back.json()["rolls_back"], again.json()["id"]) == (201, made.pk, back.json()["id"])
    assert Rollout.objects.get(pk=made.pk).state == RolloutState.ROLLED_BACK


def test_items_of_terminals_that_a_person_does_not_see_are_neither_listed_nor_counted(fleet, lead):
    here, there = fleet.site("AAA"), fleet.site("BBB")
    fleet.terminals_online(1, site=here, model="KX-21", features=["update"])
    fleet.terminals_online(2, site=there, model="KX-21", features=["update"])
    person = people.person("local", of=None)
    people.grant(person, "Lead", site=here)
    made = make_rollout(lead, at=now())
    mine = ApiClient.of(person)
    hidden = mine.get(f"/rollouts/{made.pk}")
    Rollout.objects.update(started_by=person)

    seen = mine.get(f"/rollouts/{made.pk}").json()
    items = mine.get(f"/rollouts/{made.pk}/items").json()["items"]
    retried = mine.post(f"/rollouts/{made.pk}/retry", {}).json()

    assert hidden.status_code == 404
    assert (sum(seen["counts"].values()), len(items), retried) == (1, 1, {"number": 0})
