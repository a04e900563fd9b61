"""Web push: what the push service sees, what the browser decrypts, and which addresses are refused."""

import base64
import json
import os
import time
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from django.core.exceptions import ValidationError

from tests.support.notifications.push_service import Browser, PushService, base64url, from_base64url, running
from tms.notifications.push import keys
from tms.notifications.transports import TRANSPORTS, Message, Recipient
from tms.notifications.transports.push.encryption import encrypted
from tms.notifications.transports.push.payload import SIZE, payload
from tms.notifications.transports.push.subscription import Subscription
from tms.notifications.transports.result import SendOutcome

SERVICES = ["fcm.googleapis.com", "push.services.mozilla.com"]


@pytest.fixture
def service(settings, monkeypatch, tmp_path) -> PushService:
    settings.INSIDE_DESTINATIONS, settings.PUSH_SERVICES = [ip_network("127.0.0.1")], ["127.0.0.1"]
    with running(tmp_path) as service:
        monkeypatch.setenv("SSL_CERT_FILE", str(service.certificate))
        yield service


@pytest.fixture
def vapid(db) -> dict[str, str]:
    key = keys.current(at=datetime(2026, 11, 28, tzinfo=UTC))
    return {"vapid": key.private_key(), "vapid_public": key.public_key}


def message(**fields) -> Message:
    facts = {"alerts": [{"id": 7, "url": "https://tms.example.com/alerts/7/"}]}
    usual = {"uid": "u-1", "at": datetime(2026, 11, 28, tzinfo=UTC), "kind": "opened", "facts": facts}
    shown = {
        "title": "Critical: Shinjuku: CPU too hot",
        "severity": "critical",
        "lines": ("T-1: CPU", "Open: https://x/"),
    }
    return Message(**usual | shown | fields)


def send(browser: Browser, vapid: dict[str, str], sent: Message):
    secrets = {"p256dh": browser.form["p256dh"], "auth": browser.form["auth"], **vapid}
    return TRANSPORTS["push"].send(Recipient(browser.address, secrets), sent)


def test_the_browser_decrypts_what_its_worker_needs(service, vapid):
    result = send(service.browser(), vapid, message(acknowledge_path="/act/token/"))

    [shown], [posted] = service.shown, service.posted
    assert result.outcome is SendOutcome.DELIVERED
    assert (shown["title"], shown["body"]) == ("Critical: Shinjuku: CPU too hot", "T-1: CPU")
    assert (shown["tag"], shown["path"], shown["isUrgent"], shown["isSilent"]) == ("alert-7", "/alerts/7/", True, False)
    assert (shown["acknowledge"]["path"], shown["acknowledge"]["label"]) == ("/act/token/", "Acknowledge")
    assert (posted.headers["TTL"], posted.headers["Urgency"]) == ("14400", "high")
    assert len(posted.headers["Topic"]) == 32


def test_the_push_service_recognises_tms_and_reads_nothing(service, vapid):
    send(service.browser(), vapid, message())
    send(service.browser(), vapid, message(title="", lines=(), facts={}))

    claims, bodies = service.claims(service.posted[0]), [posted.body for posted in service.posted]
    assert claims["aud"] == service.origin
    assert claims["sub"].startswith("mailto:")
    assert time.time() < claims["exp"] < time.time() + 86_400
    assert len({len(body) for body in bodies}) == 1
    assert b"Shinjuku" not in bodies[0]


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "is_gone"),
    [
        (200, {}, SendOutcome.DELIVERED, False),
        (404, {}, SendOutcome.FAILED, True),
        (410, {}, SendOutcome.FAILED, True),
        (403, {}, SendOutcome.FAILED, False),
        (413, {}, SendOutcome.FAILED, False),
        (307, {"Location": "https://127.0.0.1/else"}, SendOutcome.FAILED, False),
        (429, {"Retry-After": "120"}, SendOutcome.RETRY, False),
        (503, {}, SendOutcome.RETRY, False),
    ],
)
def test_an_answer_of_the_push_service_decides(service, vapid, status, headers, outcome, is_gone):
    service.script = [(status, headers)]

    result = send(service.browser(), vapid, message())

    assert (result.outcome, result.is_gone) == (outcome, is_gone)
    assert result.retry_after_s == (120.0 if "Retry-After" in headers else None)
    assert len(service.posted) == 1


def test_a_service_that_is_no_longer_allowed_gets_nothing(service, vapid, settings):
    browser = service.browser()
    settings.PUSH_SERVICES = SERVICES

    assert send(browser, vapid, message()).outcome is SendOutcome.FAILED
    assert service.posted == []


def test_an_unreachable_service_is_tried_again(service, vapid):
    browser = service.browser()
    service.close()

    assert send(browser, vapid, message()).outcome is SendOutcome.RETRY


@pytest.mark.parametrize("character", ["x", "端", "😀", '"', "\u2028"])
def test_long_text_is_cut_to_the_size_of_a_message(character):
    content = payload(message(title=character * 5_000, lines=[character * 5_000] * 20, acknowledge_path="/act/t/"))

    assert len(content) == SIZE
    assert json.loads(content)["acknowledge"]["path"] == "/act/t/"


def test_the_encryption_gives_the_example_of_the_rfc():
    """RFC 8291, section 5."""
    number = int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        browser_key=from_base64url(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        secret=from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
        own_key=derive_private_key(number, SECP256R1()),
    )

    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tl"
        "zAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


# Hostile subscriptions

GOOD = Browser("https://fcm.googleapis.com/fcm/send/abc").form


@pytest.mark.parametrize(
    "address",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com.evil.example/x",
        "https://notfcm.googleapis.com.:443/x",
        "https://evilfcm.googleapis.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://fcm.googleapis.com/x\r\nHost: evil",
        "https://fcm.googleapis.com/" + "x" * 2_000,
        "file:///etc/passwd",
        "https://",
        "",
    ],
)
def test_only_known_push_services_are_accepted(settings, address):
    settings.PUSH_SERVICES = SERVICES

    with pytest.raises(ValidationError):
        Subscription.checked(address, GOOD["p256dh"], GOOD["auth"])


def test_a_known_service_at_an_inside_address_is_refused(settings):
    settings.PUSH_SERVICES = ["localhost"]

    with pytest.raises(ValidationError, match="Blocked"):
        Subscription.checked("https://localhost/x", GOOD["p256dh"], GOOD["auth"])


@pytest.mark.parametrize(
    "change",
    [
        {"p256dh": base64.urlsafe_b64encode(b"\4" + os.urandom(64)).decode()},  # not on the curve
        {"p256dh": GOOD["p256dh"][:-4]},
        {"p256dh": "A" * 5_000},
        {"p256dh": ""},
        {"auth": GOOD["auth"] + "AAAA"},
        {"auth": "*" * 22},
        {"auth": "é" * 22},
    ],
)
def test_keys_that_no_browser_makes_are_refused(settings, change):
    settings.PUSH_SERVICES = ["127.0.0.1"]
    values = {**GOOD, **change}

    with pytest.raises(ValidationError, match="browser"):
        Subscription.checked(GOOD["address"], values["p256dh"], values["auth"])
