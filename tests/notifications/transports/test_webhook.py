"""The request to a receiver of events, and how TMS handles its response."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.utils.http import http_date

from tests.support.builders import now
from tests.support.notifications.destinations import webhook_destination
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db


def test_an_event_is_a_cloud_event_with_a_valid_signature(hook, receiver):
    answer = send_test(hook)

    [posted] = receiver.posted
    event = posted.event
    assert (answer.outcome, answer.detail, answer.possibly_delivered) == (
        SendOutcome.DELIVERED,
        "204 No Content",
        False,
    )
    assert posted.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert event["specversion"] == "1.0"
    assert event["type"] == "tms.alerts.test.v1"
    assert event["source"]
    assert event["id"] == posted.headers["webhook-id"]
    assert event["data"]["alerts"] == []
    key = base64.b64decode(hook.secrets()["key"].removeprefix("whsec_"))
    message = f"{event['id']}.{posted.headers['webhook-timestamp']}.".encode() + posted.body
    signature = base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
    assert posted.headers["webhook-signature"] == f"v1,{signature}"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, SendOutcome.DELIVERED),
        (202, SendOutcome.DELIVERED),
        (301, SendOutcome.RETRY),
        (303, SendOutcome.RETRY),
        (400, SendOutcome.FAILED),
        (401, SendOutcome.RETRY),
        (404, SendOutcome.RETRY),
        (410, SendOutcome.FAILED),
        (422, SendOutcome.FAILED),
        (429, SendOutcome.RETRY),
        (500, SendOutcome.RETRY),
        (503, SendOutcome.RETRY),
    ],
)
def test_the_status_of_a_response_is_respected(hook, receiver, status, outcome):
    receiver.script = [(status, {"body": "because\r\nof \x1b[31mthis", "Location": "/elsewhere"})]

    answer = send_test(hook)

    assert answer.outcome is outcome
    assert str(status) in answer.detail
    assert "because of [31mthis" in answer.detail
    assert not answer.possibly_delivered


def test_retry_after_may_be_seconds_or_a_date(hook, receiver):
    receiver.script = [
        (503, {"Retry-After": "120"}),
        (503, {"Retry-After": http_date((now() + timedelta(seconds=600)).timestamp())}),
        (503, {"Retry-After": "soon"}),
    ]

    waits = [send_test(hook).retry_after_s for _ in range(3)]

    assert waits[0] == 120
    assert waits[1] == pytest.approx(600, abs=60)
    assert waits[2] is None


def test_a_connection_closed_without_a_response_is_a_possible_duplicate(hook, receiver):
    receiver.script = [(0, {})]

    answer = send_test(hook)

    assert (answer.outcome, answer.possibly_delivered) == (SendOutcome.RETRY, True)


def test_a_refused_connection_is_not_a_possible_duplicate(hook, receiver):
    receiver.close()

    answer = send_test(hook)

    assert (answer.outcome, answer.possibly_delivered) == (SendOutcome.RETRY, False)
    assert answer.detail == "Connection refused"


def test_no_result_contains_the_path_which_may_be_a_key(hook, receiver):
    receiver.close()

    assert "s3cret" not in send_test(hook).detail


def test_a_dump_of_the_database_contains_neither_address_nor_key(hook, receiver):
    [row] = Destination.objects.values()

    text = json.dumps(row, default=str)

    assert "s3cret" not in text
    assert hook.secrets()["key"][8:20] not in text
    assert row["address"] == f"http://127.0.0.1:{receiver.port}/…"


def test_with_another_secret_key_the_error_contains_the_next_step(hook, settings):
    settings.SECRET_KEY = "another" * 10

    answer = send_test(Destination.objects.get())

    assert answer.outcome is SendOutcome.FAILED
    assert "TMS_SECRET_KEY" in answer.detail


def test_a_wrong_certificate_is_not_accepted(receiver):
    answer = send_test(webhook_destination(receiver.url.replace("http://", "https://")))

    assert (answer.outcome, receiver.posted) == (SendOutcome.RETRY, [])
