"""Policies and deliveries over the API."""

import pytest

from tests.support.builders import AT
from tests.support.notifications.destinations import webhook_destination
from tests.support.rest import invalid_fields, problem_of
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.notifications.destinations.api import AddressFields
from tms.notifications.destinations.forms import DestinationForm
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.policy import Policy
from tms.notifications.policies.api import PolicyFields
from tms.notifications.policies.forms import PolicyForm

pytestmark = pytest.mark.both


@pytest.fixture
def body(fleet) -> dict:
    fleet.site("SJK")
    fleet.group("Lobby")
    rule = fleet.metric_rule()
    first, second = (
        webhook_destination("https://a.example.com/", "A"),
        webhook_destination("https://b.example.com/", "B"),
    )
    return {
        "name": "NOC",
        "severities": ["critical"],
        "sites": ["SJK"],
        "groups": ["Lobby"],
        "rules": [rule.pk],
        "delay_s": 30,
        "steps": [{"destinations": [first.pk]}, {"after_min": 15, "destinations": [first.pk, second.pk]}],
    }


def test_a_policy_is_created_and_returned_as_it_was_written(editor, body):
    made = editor.post("/policies", body)

    assert made.status_code == 201, made.content
    result = editor.get(made["Location"]).json()
    assert result == made.json()
    assert {name: result[name] for name in set(body) - {"steps"}} == {
        name: body[name] for name in set(body) - {"steps"}
    }
    assert [step["after_min"] for step in result["steps"]] == [0, 15]
    assert [step["destinations"] for step in result["steps"]] == [step["destinations"] for step in body["steps"]]


def test_every_field_of_the_page_is_accepted():
    assert set(PolicyForm.base_fields) <= set(PolicyFields.model_fields)
    assert set(DestinationForm.base_fields) <= {*AddressFields.model_fields, "where"}


def test_a_change_keeps_omitted_fields(editor, body):
    path = editor.post("/policies", body)["Location"]

    result = editor.send("PATCH", path, {"enabled": False, "sites": []}).json()

    assert (result["enabled"], result["sites"], result["groups"], result["delay_s"]) == (False, [], ["Lobby"], 30)
    assert [step["after_min"] for step in result["steps"]] == [0, 15]


def test_deleting_a_policy(editor, body):
    path = editor.post("/policies", body)["Location"]

    assert editor.send("DELETE", path).status_code == 204
    assert editor.send("DELETE", path).status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_page(editor, body, django_assert_max_num_queries):
    for number in range(6):
        editor.post("/policies", body | {"name": f"NOC {number}"})

    with django_assert_max_num_queries(10):
        assert len(editor.get("/policies").json()["items"]) == 6


BAD = [
    ({"name": ""}, "$.name"),
    ({"severities": ["dire"]}, "$.severities[0]"),
    ({"sites": ["NO"]}, "$.sites"),
    ({"groups": ["No"]}, "$.groups"),
    ({"rules": [999_999]}, "$.rules"),
    ({"rules": [2**63]}, "$.rules[0]"),
    ({"delay_s": 10**9}, "$.delay_s"),
    ({"delay_s": -1}, "$.delay_s"),
    ({"group_wait_s": 10**30}, "$.group_wait_s"),
    ({"language": "xx"}, "$.language"),
    ({"repeat_s": 60}, "$.repeat_s"),
    ({"when": "within"}, "$.hours_from"),
    ({"hours_from": "9 o'clock"}, "$.hours_from"),
    ({"hours_zone": "Mars/Base"}, "$.hours_zone"),
    ({"steps": []}, "$.steps"),
    ({"steps": [{"destinations": []}]}, "$.steps[0]"),
    ({"steps": [{"destinations": [999_999]}]}, "$.steps[0].destinations"),
    ({"steps": [{"destinations": [1], "after_min": 1_441}]}, "$.steps[0].after_min"),
    ({"steps": [{"destinations": [1], "colour": 1}]}, "$.steps[0].colour"),
    ({"colour": "red"}, "$.colour"),
]


@pytest.mark.parametrize(("change", "where"), BAD)
def test_an_invalid_policy_is_refused_with_its_location(editor, body, change, where):
    assert where in invalid_fields(editor.post("/policies", body | change))
    assert not Policy.objects.exists()


def test_a_name_is_given_once(editor, body):
    editor.post("/policies", body)

    assert invalid_fields(editor.post("/policies", body)) == ["$.name"]


def test_everyone_may_read_and_only_staff_may_change(watcher, editor, body):
    path = editor.post("/policies", body)["Location"]

    for method, address in (("POST", "/policies"), ("PATCH", path), ("DELETE", path)):
        assert problem_of(watcher.send(method, address, body)) == (403, "tms:forbidden")
    assert watcher.get(path).status_code == 200


# Deliveries


@pytest.fixture
def delivery(fleet, receiver, policy, delivery_clock) -> Delivery:
    policy((0, [webhook_destination(receiver.url)]), name="NOC")
    lifecycle.trigger([RuleTriggered(fleet.metric_rule().pk, fleet.online().pk, AT)])
    delivery_clock.advance(10)
    return Delivery.objects.get()


def test_a_delivery_is_returned_with_its_text_and_its_alerts(watcher, delivery):
    result = watcher.get(f"/deliveries/{delivery.pk}").json()

    assert (result["state"], result["destination"]["name"], result["policy"]["name"]) == ("sent", "Hook", "NOC")
    assert result["alerts"] == list(delivery.alerts.values_list("pk", flat=True))
    assert result["content"]


def test_deliveries_are_filtered(watcher, delivery):
    [alert] = delivery.alerts.values_list("pk", flat=True)

    def number(**query):
        answer = watcher.get("/deliveries", query)
        assert answer.status_code == 200, answer.content
        return len(answer.json()["items"])

    assert number() == number(state="sent") == number(alert=alert) == number(destination=delivery.destination_id) == 1
    assert number(state="dead") == number(alert=alert + 1) == number(policy=2**62) == 0


def test_only_a_failed_delivery_is_sent_again(watcher, delivery):
    path = f"/deliveries/{delivery.pk}/again"
    refused = watcher.post(path)
    Delivery.objects.update(state=DeliveryState.DEAD)

    done = watcher.post(path)

    assert problem_of(refused) == (409, "tms:not-given-up")
    assert done.json()["state"] == "waiting"
