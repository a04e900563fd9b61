"""Opsgenie and Jira Service Management: what their API requires, and what TMS makes of its answers."""

import json
from urllib.parse import unquote

import pytest

from tests.support.builders import later
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.opsgenie import Opsgenie
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db

KEY = SERVICE_VALUES["opsgenie"]["key"]
LIMITS = {"message": 130, "alias": 512, "description": 15_000, "entity": 512, "source": 100}


def alert_api(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    if posted.headers.get("Authorization") != f"GenieKey {KEY}":
        return failure(401, "Could not authenticate")
    sent = posted.event
    if not posted.path.endswith("/v2/alerts"):
        is_known = posted.path.endswith(("/acknowledge?identifierType=alias", "/close?identifierType=alias"))
        return success() if is_known and sent["note"] else failure(404, "No such path")
    wrong = {name: f"{name} is too long" for name, most in LIMITS.items() if len(sent[name]) > most}
    if not sent["message"]:
        wrong["message"] = "Message can not be empty."
    if sent["priority"] not in {"P1", "P2", "P3", "P4", "P5"} or len(sent["tags"]) > 20:
        wrong["priority"] = "must be one of P1 to P5"
    if any(not isinstance(value, str) for value in sent["details"].values()):
        wrong["details"] = "must be text"
    return failure(422, "Request body is not processable. Please check the errors.", wrong) if wrong else success()


def success() -> tuple[int, dict[str, str]]:
    return 202, {"body": json.dumps({"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c"})}


def failure(status: int, message: str, errors: dict[str, str] | None = None) -> tuple[int, dict[str, str]]:
    return status, {"body": json.dumps({"message": message, "took": 0.1, "errors": errors or {}})}


@pytest.fixture
def opsgenie(receiver, monkeypatch) -> Destination:
    ours = f"http://127.0.0.1:{receiver.port}"
    monkeypatch.setattr(Opsgenie, "hosts", {"us": ours, "jira": f"{ours}/jsm/ops/integration"})
    receiver.usual = alert_api
    return service_destination("opsgenie")


def test_an_alert_is_one_there_and_is_acknowledged_and_closed_with_it(
    fleet, delivery_clock, policy, receiver, opsgenie
):
    policy((0, [opsgenie]), notify_resolved=False)
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1"), name="n" * 150)
    delivery_clock.advance(5)
    acknowledged(alert, by=fleet.person("aoki"), at=later(6))
    delivery_clock.advance(5)
    resolve_alert(alert, 11)
    delivery_clock.advance(5)

    opened, taken, closed = receiver.posted
    alias = opened.event["alias"]
    assert (opened.event["priority"], opened.event["entity"]) == ("P1", "SJK-1")
    assert unquote(taken.path) == f"/v2/alerts/{alias}/acknowledge?identifierType=alias"
    assert unquote(closed.path) == f"/v2/alerts/{alias}/close?identifierType=alias"


def test_a_test_at_jira_service_management_opens_an_alert_and_closes_it(receiver, opsgenie):
    result = send_test(service_destination("opsgenie", {"region": "jira"}, name="Jira"))

    assert result.outcome is SendOutcome.DELIVERED
    assert [posted.path.startswith("/jsm/ops/integration/v2/alerts") for posted in receiver.posted] == [True, True]


ANSWERS = [
    (failure(401, "Could not authenticate"), SendOutcome.RETRY, None, "API key"),
    (failure(403, "You are not authorized"), SendOutcome.RETRY, None, "Create and Update access"),
    (failure(422, "Not processable", {"message": "can not be empty"}), SendOutcome.FAILED, None, ""),
    ((429, {"X-RateLimit-Period-In-Sec": "60", "body": "{}"}), SendOutcome.RETRY, 60, ""),
    ((429, {"Retry-After": "5", "body": "{}"}), SendOutcome.RETRY, 5, ""),
    ((503, {}), SendOutcome.RETRY, None, ""),
]


@pytest.mark.parametrize(("given", "outcome", "wait_s", "advice"), ANSWERS)
def test_an_error_is_shown_as_opsgenie_names_it_and_explained(receiver, opsgenie, given, outcome, wait_s, advice):
    receiver.script = [given]

    result = send_test(opsgenie)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert str(given[0]) in result.detail
    assert KEY not in result.explained
