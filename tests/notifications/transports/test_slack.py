"""Slack: what its Web API and its webhooks require, and what TMS makes of their answers."""

import json

import pytest

from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome
from tms.notifications.transports.slack import Slack

pytestmark = pytest.mark.django_db

CHANNEL = SERVICE_VALUES["slack"]["channel"]


def web_api(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    """Errors as Slack names them."""
    sent, known = posted.event, posted.headers.get("Authorization")
    if known != f"Bearer {SERVICE_VALUES['slack']['token']}":
        return answer(ok=False, error="invalid_auth")
    if not sent.get("text") or sent.get("channel") not in {CHANNEL, "C0RETURNED"}:
        return answer(ok=False, error="channel_not_found")
    blocks = [block for attachment in sent["attachments"] for block in attachment["blocks"]]
    texts = [block["text"]["text"] for block in blocks if "text" in block]
    fields = [field["text"] for block in blocks for field in block.get("fields", ())]
    if len(blocks) > 50 or any(not 0 < len(text) <= 3_000 for text in texts):
        return answer(ok=False, error="invalid_blocks")
    if len(fields) > 10 or any(len(text) > 2_000 for text in fields):
        return answer(ok=False, error="invalid_blocks")
    return answer(ok=True, channel="C0RETURNED", ts=f"17000000{len(texts)}.000100")


def answer(status: int = 200, headers: dict[str, str] | None = None, **body: object) -> tuple[int, dict[str, str]]:
    return status, {"Content-Type": "application/json", "body": json.dumps(body)} | (headers or {})


@pytest.fixture
def slack(receiver, monkeypatch) -> Destination:
    monkeypatch.setattr(Slack, "api", f"http://127.0.0.1:{receiver.port}/api")
    receiver.usual = web_api
    return service_destination("slack")


def test_an_alert_is_a_card_and_its_recovery_a_reply_that_also_changes_it(
    fleet, delivery_clock, policy, receiver, slack, settings
):
    settings.PUBLIC_URL = "https://tms.example.com"
    policy((0, [slack]))
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1", label="<!channel> Lane"), name="CPU too hot")
    delivery_clock.advance(5)
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    opened, changed, reply = (posted.event for posted in receiver.posted)
    text = json.dumps(opened)
    assert [posted.path for posted in receiver.posted] == [
        "/api/chat.postMessage",
        "/api/chat.update",
        "/api/chat.postMessage",
    ]
    assert opened["channel"] == CHANNEL
    assert "CPU too hot" in opened["text"]
    assert "SJK-1 (&lt;!channel&gt; Lane)" in text
    assert "<!channel>" not in text
    assert f"https://tms.example.com{alert.get_absolute_url()}" in text
    assert (changed["channel"], changed["ts"]) == (reply["channel"], reply["thread_ts"])
    assert reply["channel"] == "C0RETURNED"
    assert changed["text"].startswith("Resolved")
    assert changed["attachments"][0]["color"] != opened["attachments"][0]["color"]


def test_a_recovery_of_a_part_is_a_reply_that_changes_nothing(fleet, delivery_clock, policy, receiver, slack):
    policy((0, [slack]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical")
    first, second = (open_alert(fleet, rule=rule, terminal=fleet.online()) for _ in range(2))
    delivery_clock.advance(10)
    resolve_alert(first, 11)
    delivery_clock.advance(10)
    resolve_alert(second, 21)
    delivery_clock.advance(10)

    assert [posted.path for posted in receiver.posted] == ["/api/chat.postMessage"] * 3
    assert {posted.event.get("thread_ts") for posted in receiver.posted[1:]} != {None}


def test_a_deleted_message_is_not_replied_to(fleet, delivery_clock, policy, receiver, slack):
    policy((0, [slack]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    gone = [answer(ok=False, error=error) for error in ("message_not_found", "thread_not_found")]
    receiver.script = gone
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    last = receiver.posted[-1].event
    assert ("thread_ts" in last, last["channel"]) == (False, CHANNEL)


def test_a_storm_of_alerts_is_still_a_message_that_slack_takes(fleet, delivery_clock, policy, receiver, slack):
    policy((0, [slack]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical", name="n" * 100)
    for number in range(30):
        open_alert(fleet, rule=rule, terminal=fleet.online(uid=f"SJK-{number}", label="l" * 100))

    delivery_clock.advance(10)

    assert slack.deliveries.get().state == "sent"


ANSWERS = [
    (answer(ok=False, error="channel_not_found"), SendOutcome.RETRY, None, "/invite"),
    (answer(ok=False, error="not_in_channel"), SendOutcome.RETRY, None, "/invite"),
    (answer(ok=False, error="invalid_auth"), SendOutcome.RETRY, None, "OAuth & Permissions"),
    (answer(ok=False, error="missing_scope", needed="chat:write"), SendOutcome.RETRY, None, "chat:write"),
    (answer(ok=False, error="is_archived"), SendOutcome.RETRY, None, "archived"),
    (answer(ok=False, error="invalid_blocks"), SendOutcome.FAILED, None, ""),
    (answer(429, {"Retry-After": "30"}, ok=False, error="ratelimited"), SendOutcome.RETRY, 30, ""),
    (answer(500, ok=False, error="internal_error"), SendOutcome.RETRY, None, ""),
    ((200, {"body": "<html>a captive portal</html>"}), SendOutcome.RETRY, None, ""),
    ((200, {"body": "[" * 5_000}), SendOutcome.RETRY, None, ""),
]


@pytest.mark.parametrize(("given", "outcome", "wait_s", "advice"), ANSWERS)
def test_an_error_is_shown_as_slack_names_it_and_explained(receiver, slack, given, outcome, wait_s, advice):
    receiver.script = [given]

    result = send_test(slack)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert json.loads(given[1]["body"])["error"] in result.detail if given[1]["body"].startswith("{") else result.detail
    assert "s3cretvalue" not in result.explained


@pytest.mark.parametrize(
    ("given", "outcome", "advice"),
    [
        ((200, {"body": "ok"}), SendOutcome.DELIVERED, ""),
        ((404, {"body": "no_service"}), SendOutcome.RETRY, "Incoming Webhooks"),
        ((400, {"body": "invalid_payload"}), SendOutcome.FAILED, ""),
        ((410, {"body": "channel_is_archived"}), SendOutcome.RETRY, "archived"),
        ((429, {"Retry-After": "1", "body": "rate_limited"}), SendOutcome.RETRY, ""),
    ],
)
def test_an_incoming_webhook_needs_no_channel(receiver, slack, monkeypatch, given, outcome, advice):
    hook = service_destination("slack", {"token": receiver.url, "channel": ""}, name="Hook")
    monkeypatch.setattr("tms.notifications.transports.slack.is_webhook", lambda token: token.startswith("http"))
    receiver.usual = given

    result = send_test(hook)

    assert (result.outcome, hook.address) == (outcome, "hooks.slack.com/…")
    assert advice in result.advice
    assert "channel" not in receiver.posted[0].event


def test_a_private_address_is_blocked(receiver, slack, settings):
    settings.INSIDE_DESTINATIONS = []

    result = send_test(slack)

    assert (result.outcome, receiver.posted) == (SendOutcome.FAILED, [])
    assert "TMS_INSIDE_DESTINATIONS" in result.detail
