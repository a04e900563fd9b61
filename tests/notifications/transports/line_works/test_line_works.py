"""LINE WORKS: what its authorization and its Bot API require, and what TMS makes of their answers."""

import json
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.support.notifications.alerts import open_alert
from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.notifications.webhook_receiver import ReceivedRequest
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.line_works.tokens import token_cache
from tms.notifications.transports.line_works.transport import LineWorks
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db

VALUES = SERVICE_VALUES["line_works"]
PUBLIC_KEY = load_pem_private_key(VALUES["private_key"].encode(), None).public_key()
TOKEN = "/oauth2/v2.0/token"
KNOWN = {"text": 2_000, "altText": 400, "label": 20, "uri": 1_000}


def service(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    return authorization(posted) if posted.path == TOKEN else bot_api(posted)


def authorization(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    form = {name: value for name, [value] in parse_qs(posted.body.decode()).items()}
    claims = jwt.decode(form["assertion"], PUBLIC_KEY, algorithms=["RS256"])
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    if form["grant_type"] != grant or claims["exp"] - claims["iat"] > 3_600:
        return answer(400, error="invalid_request")
    if (claims["iss"], claims["sub"], form["client_secret"]) != (
        VALUES["client_id"],
        VALUES["account"],
        VALUES["client_secret"],
    ):
        return answer(401, error="invalid_client", error_description="Client authentication failed")
    return answer(200, access_token="kr1AAA", token_type="Bearer", expires_in="86400", scope=form["scope"])


def bot_api(posted: ReceivedRequest) -> tuple[int, dict[str, str]]:
    if posted.headers.get("Authorization") != "Bearer kr1AAA":
        return answer(401, code="UNAUTHORIZED", description="Authentication failed")
    if posted.path != f"/v1.0/bots/{VALUES['bot']}/channels/{VALUES['to']}/messages":
        return answer(404, code="NOT_FOUND", description="No such channel")
    content = posted.event["content"]
    if content["type"] != "flex" or any(not 0 < len(text) <= KNOWN[name] for name, text in texts(content)):
        return answer(400, code="INVALID_PARAMETER", description="content")
    return 201, {}


def texts(element: object) -> list[tuple[str, str]]:
    if isinstance(element, list):
        return [found for one in element for found in texts(one)]
    if not isinstance(element, dict):
        return []
    own = [(name, element[name]) for name in KNOWN if name in element]
    return own + [found for one in element.values() for found in texts(one)]


def answer(status: int, headers: dict[str, str] | None = None, **body: str) -> tuple[int, dict[str, str]]:
    return status, {"body": json.dumps(body)} | (headers or {})


@pytest.fixture
def line_works(receiver, monkeypatch) -> Destination:
    ours = f"http://127.0.0.1:{receiver.port}"
    monkeypatch.setattr(LineWorks, "api", f"{ours}/v1.0")
    monkeypatch.setattr(LineWorks, "auth", f"{ours}{TOKEN}")
    receiver.usual = service
    token_cache.reset()
    return service_destination("line_works")


def test_a_token_is_issued_once_and_a_message_is_a_bubble(
    fleet, delivery_clock, policy, receiver, line_works, settings
):
    settings.PUBLIC_URL = "https://tms.example.com"
    policy((0, [line_works]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical", name="CPU too hot")
    for number in range(30):
        open_alert(fleet, rule=rule, terminal=fleet.online(uid=f"SJK-{number}", label="店" * 100))
    delivery_clock.advance(10)

    result = send_test(line_works)

    content = receiver.posted[1].event["content"]
    assert [posted.path == TOKEN for posted in receiver.posted] == [True, False, False]
    assert (line_works.deliveries.get().state, result.outcome) == ("sent", SendOutcome.DELIVERED)
    assert "Site SJK" in json.dumps(content["contents"]["body"])
    assert content["contents"]["footer"]["contents"][0]["action"]["uri"] == "https://tms.example.com/alerts/"


def test_a_revoked_token_is_renewed(receiver, line_works):
    send_test(line_works)
    receiver.script = [answer(401, code="UNAUTHORIZED", description="Authentication failed")]

    result = send_test(line_works)

    assert result.outcome is SendOutcome.DELIVERED
    assert [posted.path == TOKEN for posted in receiver.posted[2:]] == [False, True, False]


ANSWERS = [
    ([answer(401, error="invalid_client", error_description="no")], SendOutcome.RETRY, None, "client secret"),
    ([(503, {})], SendOutcome.RETRY, None, ""),
    ([service, answer(403, code="FORBIDDEN", description="no")], SendOutcome.RETRY, None, "Add the bot"),
    ([service, answer(404, code="NOT_FOUND", description="no")], SendOutcome.RETRY, None, "channel ID"),
    (
        [service, answer(429, {"rateLimit-reset": "42"}, code="TOO_MANY_REQUESTS", description="limit")],
        SendOutcome.RETRY,
        42,
        "",
    ),
    ([service, (500, {})], SendOutcome.RETRY, None, ""),
]


@pytest.mark.parametrize(("script", "outcome", "wait_s", "advice"), ANSWERS, ids=range(len(ANSWERS)))
def test_an_error_is_shown_as_line_works_names_it_and_explained(receiver, line_works, script, outcome, wait_s, advice):
    receiver.script = list(script)

    result = send_test(line_works)

    assert (result.outcome, result.retry_after_s) == (outcome, wait_s)
    assert advice in result.advice
    assert "s3cretvalue" not in result.explained
