"""Each transport is complete: its tests, its row in the docs and its Japanese."""

import re
from datetime import UTC, datetime

import pytest
from django.utils import translation

from tests.support.servers.tms import ROOT
from tms.notifications import transports
from tms.notifications.models import Destination
from tms.notifications.transports import TRANSPORTS, Message, Recipient, Transport
from tms.notifications.transports.result import SendOutcome
from tms.notifications.transports.sns import EXAMPLE

ALERTING = (ROOT / "docs/alerting.md").read_text()
PRODUCTS = {"Amazon SNS", "Slack", "Microsoft Teams", "LINE WORKS", "Telegram", "PagerDuty", "Opsgenie"}
SECRET = "https://hooks.example.com/s3cret"
MESSAGE = Message(uid="1", at=datetime(2026, 11, 23, tzinfo=UTC), kind="test", title="Test", lines=(), facts={})


@pytest.fixture(params=TRANSPORTS.values(), ids=TRANSPORTS)
def transport(request) -> Transport:
    return request.param


def test_it_has_a_label_and_an_address_help_in_both_languages(transport):
    of_fields = [text for field in transport.fields for text in (field.label, field.hint)]
    texts = of_fields or [transport.address_label, transport.address_hint]
    for text in (transport.label, transport.summary, *texts):
        with translation.override("en"):
            english = str(text)
        with translation.override("ja"):
            japanese = str(text)
        assert english
        assert japanese != english or english in {"Webhook", "URL", EXAMPLE} | PRODUCTS


def test_it_has_its_own_tests(transport):
    name = type(transport).__module__.removeprefix(f"{transports.__name__}.").partition(".")[0]

    assert list((ROOT / "tests/notifications/transports").rglob(f"test_{name}.py"))


def test_it_is_in_the_docs(transport):
    with translation.override("en"):
        label = re.escape(str(transport.label))

    assert re.search(rf"^\| `{transport.name}` \| {label} \|", ALERTING, re.MULTILINE)


def test_their_order_is_fixed():
    assert list(TRANSPORTS)[:2] == ["email", "slack"]
    assert list(TRANSPORTS)[-3:] == ["webhook", "sns", "chat"]


def test_a_destination_offers_them_in_their_order():
    assert [name for name, _ in Destination._meta.get_field("kind").flatchoices] == list(TRANSPORTS)


def test_an_unexpected_error_is_retried_and_its_text_is_not_shown(transport, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(type(transport), "send", fail)

    result = transports.send(transport.name, Recipient("", {}), MESSAGE, language="en")

    assert (result.outcome, result.detail, result.possibly_delivered) == (SendOutcome.RETRY, "RuntimeError", True)
    assert "send_failed" in caplog.text
    assert SECRET not in caplog.text
