"""Microsoft Teams: what the trigger of a workflow requires, and what TMS makes of its answers."""

import json

import pytest

from tests.support.notifications.alerts import open_alert
from tests.support.notifications.destinations import service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db

PATH = "/workflows/ab12/triggers/manual/paths/invoke?api-version=1&sig=s3cretvalue"
MAX_BYTES = 28 * 1024


def workflow(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    """The template “Send webhook alerts to a channel” needs adaptive cards."""
    if not posted.path.endswith("sig=s3cretvalue"):
        return failure(401, "DirectApiAuthorizationRequired", "The request must be signed.")
    if len(posted.body) > MAX_BYTES:
        return failure(413, "RequestEntityTooLarge", "Too large.")
    [attachment] = posted.event["attachments"]
    card = attachment["content"]
    is_card = (posted.event["type"], card["type"]) == ("message", "AdaptiveCard")
    if not is_card or attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        return failure(400, "TriggerInputSchemaMismatch", "Not a card.")
    known = {"TextBlock": "text", "FactSet": "facts"}
    if not all(element[known[element["type"]]] for element in card["body"]):
        return failure(400, "TriggerInputSchemaMismatch", "An empty element.")
    return 202, {}


def failure(status: int, code: str, message: str) -> tuple[int, dict[str, str]]:
    return status, {"body": json.dumps({"error": {"code": code, "message": message}})}


@pytest.fixture
def teams(receiver) -> Destination:
    receiver.usual = workflow
    return service_destination("teams", {"url": f"http://127.0.0.1:{receiver.port}{PATH}"})


def test_an_alert_is_a_card_with_its_facts_and_a_link(fleet, delivery_clock, policy, receiver, teams, settings):
    settings.PUBLIC_URL = "https://tms.example.com"
    policy((0, [teams]))
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1", label="Lane *3*"), name="CPU too hot")
    delivery_clock.advance(5)

    card = receiver.posted[0].event["attachments"][0]["content"]
    facts = {fact["title"]: fact["value"] for fact in card["body"][1]["facts"]}
    assert "CPU too hot" in card["body"][0]["text"]
    assert card["body"][0]["color"] == "attention"
    assert (facts["Severity"], facts["Site"]) == ("Critical", "Site SJK")
    assert facts["Terminals"] == "SJK\\-1 \\(Lane \\*3\\*\\)"
    assert card["actions"][0]["url"] == f"https://tms.example.com{alert.get_absolute_url()}"


def test_a_storm_of_alerts_is_still_a_card_that_teams_takes(fleet, delivery_clock, policy, teams):
    policy((0, [teams]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical", name="警" * 100, name_ja="報" * 100)
    for number in range(30):
        open_alert(fleet, rule=rule, terminal=fleet.online(uid=f"SJK-{number}", label="店" * 100))

    delivery_clock.advance(10)

    assert teams.deliveries.get().state == "sent"


ANSWERS = [
    ((202, {}), SendOutcome.DELIVERED, None, ""),
    (failure(400, "TriggerInputSchemaMismatch", "Not a card."), SendOutcome.RETRY, None, "as a whole"),
    (failure(401, "DirectApiAuthorizationRequired", "Signed."), SendOutcome.RETRY, None, "signature"),
    (failure(403, "DirectApiAuthorizationRequired", "Tenant."), SendOutcome.RETRY, None, "Anyone"),
    (failure(404, "WorkflowNotFound", "The workflow could not be found."), SendOutcome.RETRY, None, "deleted"),
    ((429, {"Retry-After": "12", "body": "{}"}), SendOutcome.RETRY, 12, ""),
    (failure(413, "RequestEntityTooLarge", "Too large."), SendOutcome.FAILED, None, ""),
    (failure(502, "NoResponse", "The server did not respond."), SendOutcome.RETRY, None, ""),
]


@pytest.mark.parametrize(("given", "outcome", "wait_s", "advice"), ANSWERS)
def test_an_error_is_shown_as_teams_names_it_and_explained(receiver, teams, given, outcome, wait_s, advice):
    receiver.script = [given]

    result = send_test(teams)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert str(given[0]) in result.detail
    assert "s3cretvalue" not in result.explained
