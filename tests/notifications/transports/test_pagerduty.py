"""PagerDuty: what its Events API v2 requires, and what TMS makes of its answers."""

import json
from datetime import datetime

import pytest

from tests.support.builders import AT, later
from tests.support.factories import acknowledged, incident
from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.messages import compose, message_of
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.transports.pagerduty import PagerDuty, events
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db

SEVERITIES = {"critical", "error", "warning", "info"}


def events_api(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    """202, or 400 with what is not valid."""
    event, faults = posted.event, []
    if len(event["routing_key"]) != 32:
        faults.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if event["event_action"] not in {"trigger", "acknowledge", "resolve"}:
        faults.append("'event_action' is invalid")
    if not 0 < len(event["dedup_key"]) <= 255:
        faults.append("'dedup_key' is invalid (must be a string with a maximum of 255 characters)")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        if not 0 < len(payload["summary"]) <= 1_024 or not payload["source"]:
            faults.append("'payload.summary' is missing or blank")
        if payload["severity"] not in SEVERITIES or datetime.fromisoformat(payload["timestamp"]).tzinfo is None:
            faults.append("'payload.severity' is invalid")
        if any(set(link) != {"href", "text"} for link in event["links"]):
            faults.append("'links' is invalid")
    return failure(400, *faults) if faults else success(event["dedup_key"])


def success(key: str) -> tuple[int, dict[str, str]]:
    return 202, {"body": json.dumps({"status": "success", "message": "Event processed", "dedup_key": key})}


def failure(status: int, *errors: str) -> tuple[int, dict[str, str]]:
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return status, {"body": json.dumps(body)}


@pytest.fixture
def pagerduty(receiver, monkeypatch) -> Destination:
    ours = f"http://127.0.0.1:{receiver.port}"
    monkeypatch.setattr(PagerDuty, "hosts", {"us": ours, "eu": f"{ours}/eu"})
    receiver.usual = events_api
    return service_destination("pagerduty")


def test_each_alert_is_one_there_and_is_acknowledged_and_resolved_with_it(
    fleet, delivery_clock, policy, receiver, pagerduty, settings
):
    settings.PUBLIC_URL = "https://tms.example.com"
    policy((0, [pagerduty]), group_wait_s=30, notify_resolved=False, notify_acknowledged=False)
    rule = fleet.metric_rule(severity="critical", name="CPU too hot")
    first, second = (open_alert(fleet, rule=rule, terminal=fleet.online(uid=uid)) for uid in ("SJK-1", "SJK-2"))
    delivery_clock.advance(5)
    acknowledged(first, by=fleet.person("aoki"), at=later(6))
    delivery_clock.advance(5)
    resolve_alert(second, 11)
    delivery_clock.advance(5)

    assert [(one["event_action"], one["dedup_key"]) for one in receiver.events] == [
        ("trigger", f"tms.example.com/alert/{first.pk}"),
        ("trigger", f"tms.example.com/alert/{second.pk}"),
        ("acknowledge", f"tms.example.com/alert/{first.pk}"),
        ("resolve", f"tms.example.com/alert/{second.pk}"),
    ]
    payload = receiver.events[0]["payload"]
    assert (payload["source"], payload["severity"], payload["class"]) == ("SJK-1", "critical", "CPU too hot")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.parametrize(("rule", "named"), [(None, {}), ("CPU too hot", {"class": "CPU too hot"})])
def test_an_incident_is_one_alert_there_also_if_a_rule_made_it(fleet, pagerduty, rule, named):
    subject = incident(fleet)
    subject.rule = fleet.metric_rule(name=rule) if rule else None
    delivery = Delivery(destination=pagerduty, kind="opened", language="en", is_of_incidents=True, due_at=AT)
    delivery.content = compose(delivery, [subject], at=AT)

    [event] = events(message_of(delivery))

    assert event["dedup_key"] == f"tms/incident/{subject.pk}"
    assert event["payload"]["group"] == "Site SJK"
    assert {name: event["payload"][name] for name in ("class", "component") if name in event["payload"]} == named


def test_a_test_opens_an_alert_and_resolves_it(receiver, pagerduty):
    result = send_test(pagerduty)

    opened, resolved = receiver.events
    assert result.outcome is SendOutcome.DELIVERED
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"]


def test_the_region_chooses_the_host(receiver, pagerduty):
    send_test(service_destination("pagerduty", {"region": "eu"}, name="EU"))

    assert receiver.posted[0].path == "/eu/v2/enqueue"


ANSWERS = [
    (failure(400, "Length of 'routing_key' is incorrect"), SendOutcome.RETRY, None, "integration key"),
    (failure(400, "'payload.severity' is invalid"), SendOutcome.FAILED, None, "integration key"),
    ((403, {}), SendOutcome.RETRY, None, "region"),
    ((429, {}), SendOutcome.RETRY, None, ""),
    ((429, {"Retry-After": "60"}), SendOutcome.RETRY, 60, ""),
    ((500, {}), SendOutcome.RETRY, None, ""),
]


@pytest.mark.parametrize(("given", "outcome", "wait_s", "advice"), ANSWERS)
def test_an_error_is_shown_as_pagerduty_names_it_and_explained(receiver, pagerduty, given, outcome, wait_s, advice):
    receiver.script = [given]

    result = send_test(pagerduty)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert str(given[0]) in result.detail
    assert SERVICE_VALUES["pagerduty"]["key"] not in result.explained
