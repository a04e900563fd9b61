"""Telegram: what the Bot API requires, and what TMS makes of its answers."""

import json
import re

import pytest

from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome
from tms.notifications.transports.telegram import Telegram

pytestmark = pytest.mark.django_db

TOKEN, CHAT = SERVICE_VALUES["telegram"]["token"], SERVICE_VALUES["telegram"]["chat"]
TAG = re.compile(r"</?(b|a)( href=\"[^\"<>]*\")?>")


def bot_api(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    sent = posted.event
    if posted.path != f"/bot{TOKEN}/sendMessage":
        return failure(401, "Unauthorized")
    if sent["chat_id"] != CHAT:
        return failure(400, "Bad Request: chat not found")
    text = TAG.sub("", sent["text"])
    if "<" in text or ">" in text or sent["parse_mode"] != "HTML":
        return failure(400, "Bad Request: can't parse entities: Unsupported start tag")
    if not 0 < len(text) <= 4_096:
        return failure(400, "Bad Request: message is too long")
    return 200, {"body": json.dumps({"ok": True, "result": {"message_id": 41}})}


def failure(status: int, description: str, **parameters: int) -> tuple[int, dict[str, str]]:
    body = {"ok": False, "error_code": status, "description": description}
    return status, {"body": json.dumps(body | ({"parameters": parameters} if parameters else {}))}


@pytest.fixture
def telegram(receiver, monkeypatch) -> Destination:
    monkeypatch.setattr(Telegram, "api", f"http://127.0.0.1:{receiver.port}")
    receiver.usual = bot_api
    return service_destination("telegram", {"topic": "7"})


def test_a_recovery_is_a_reply(fleet, delivery_clock, policy, receiver, telegram, settings):
    settings.PUBLIC_URL = "https://tms.example.com"
    policy((0, [telegram]))
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1", label="<b>"), name="CPU too hot")
    delivery_clock.advance(5)
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    opened, resolved = (posted.event for posted in receiver.posted)
    assert "CPU too hot" in opened["text"]
    assert "&lt;b&gt;" in opened["text"]
    assert f'href="https://tms.example.com{alert.get_absolute_url()}"' in opened["text"]
    assert (opened["message_thread_id"], "reply_parameters" in opened) == (7, False)
    assert resolved["reply_parameters"] == {"message_id": 41, "allow_sending_without_reply": True}


def test_a_storm_of_alerts_is_still_a_message_that_telegram_takes(fleet, delivery_clock, policy, telegram):
    policy((0, [telegram]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical", name="<&>" * 30)
    for number in range(30):
        open_alert(fleet, rule=rule, terminal=fleet.online(uid=f"SJK-{number}", label="<" * 100))

    delivery_clock.advance(10)

    assert telegram.deliveries.get().state == "sent"


ANSWERS = [
    (failure(400, "Bad Request: chat not found"), SendOutcome.RETRY, None, "chat ID"),
    (failure(401, "Unauthorized"), SendOutcome.RETRY, None, "@BotFather"),
    (failure(404, "Not Found"), SendOutcome.RETRY, None, "@BotFather"),
    (failure(403, "Forbidden: bot was kicked from the supergroup chat"), SendOutcome.RETRY, None, "Add the bot"),
    (failure(400, "Bad Request: message thread not found"), SendOutcome.RETRY, None, "topic ID"),
    (
        failure(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100777),
        SendOutcome.RETRY,
        None,
        "-100777",
    ),
    (failure(429, "Too Many Requests: retry after 34", retry_after=34), SendOutcome.RETRY, 34, ""),
    (failure(400, "Bad Request: message is too long"), SendOutcome.FAILED, None, ""),
    ((502, {"body": "<html>"}), SendOutcome.RETRY, None, ""),
    ((200, {"body": '{"ok": true, "result": []}'}), SendOutcome.DELIVERED, None, ""),
]


@pytest.mark.parametrize(("given", "outcome", "wait_s", "advice"), ANSWERS)
def test_an_error_is_shown_as_telegram_names_it_and_explained(receiver, telegram, given, outcome, wait_s, advice):
    receiver.script = [given]

    result = send_test(telegram)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert "s3cretvalue" not in result.explained


def test_a_refused_connection_does_not_show_the_token_of_its_path(receiver, telegram):
    receiver.close()

    assert "s3cretvalue" not in send_test(telegram).explained
