"""Requests of chat services through Apprise.

Their addresses are fixed in it, so here they are those of this machine.
"""

import logging
import re
from io import StringIO

import pytest
from apprise import Apprise
from apprise.plugins import jira
from apprise.plugins.slack import NotifySlack

from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.servers.tms import ROOT
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.models.destination import Destination
from tms.notifications.transports import TRANSPORTS, http_client
from tms.notifications.transports.apprise import OPENS_A_FILE, SCHEMES, carriers
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#noc"
NAMED_IN_THE_FORM = (
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js/",
    "gchat://workspace/key/token/",
    "ntfys://ntfy.example.com/noc",
)


def chat(url: str) -> Destination:
    destination = Destination(kind="chat", name="Chat")
    destination.set_address(url)
    destination.save()
    return destination


@pytest.fixture
def slack(receiver, monkeypatch) -> Destination:
    monkeypatch.setattr(NotifySlack, "webhook_url", receiver.url)
    receiver.usual = (200, {"body": "ok"})
    return chat(SLACK)


def test_slack_gets_the_event_in_the_colour_of_its_severity(fleet, delivery_clock, policy, receiver, slack):
    policy((0, [slack]))
    alert = open_alert(fleet, name="CPU too hot")
    delivery_clock.advance(5)
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    bad, good = (posted.event for posted in receiver.posted)
    [attachment] = bad["attachments"]
    assert bad["channel"] == "#noc"
    assert "CPU too hot" in attachment["title"]
    assert "CPU too hot" in attachment["text"]
    assert attachment["color"] != good["attachments"][0]["color"]
    assert receiver.posted[0].path.endswith("/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_refusal_of_slack_is_retried(receiver, slack, status):
    receiver.usual = (status, {"body": "no"})

    answer = send_test(slack)

    assert answer.outcome is SendOutcome.RETRY
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in answer.detail


def test_a_message_for_which_apprise_sends_nothing_is_not_delivered(fleet, delivery_clock, policy):
    """Jira takes a note for an alert that it does not have, and succeeds without a request."""
    policy((0, [chat("jira://a-key-of-the-api-0123456789abcdef/")]))
    open_alert(fleet, severity="info")

    delivery_clock.advance(5)

    [delivery] = Delivery.objects.all()
    assert delivery.state == DeliveryState.DEAD
    assert "sends nothing for a message of this kind" in delivery.detail


def test_the_test_of_a_service_that_opens_incidents_is_sent(receiver, monkeypatch):
    monkeypatch.setattr(jira, "JIRA_API_LOOKUP", dict.fromkeys(jira.JIRA_API_LOOKUP, receiver.url))

    send_test(chat("jira://a-key-of-the-api-0123456789abcdef/"))

    assert receiver.posted


def test_an_address_that_apprise_cannot_read_is_in_no_log(staff):
    log = StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)

    staff.post("/destinations/new/chat/", {"name": "x", "where": "https://example.com/SECRETSECRET", "language": "en"})

    logging.getLogger().removeHandler(handler)
    assert "Unprocessable Content" in log.getvalue()
    assert "SECRETSECRET" not in log.getvalue()


@pytest.mark.parametrize("url", NAMED_IN_THE_FORM)
def test_the_services_in_the_form_are_supported(staff, url):
    form = {"name": "Chat", "where": url, "language": "en", "enabled": "on"}

    answer = staff.post("/destinations/new/chat/", form)

    assert answer.status_code == 302
    assert url.partition("://")[0] in str(TRANSPORTS["chat"].address_hint)


REFUSED = [
    ("file:///etc/passwd", "file://"),
    ("syslog://", "syslog://"),
    ("dbus://", "dbus://"),
    ("windows://", "windows://"),
    ("vapid://me@example.com/?keyfile=/etc/passwd", "vapid://"),
    ("mailto://me:secret@example.com", "mailto://"),
    ("custom://x", "custom://"),
    (SLACK + "?template=/etc/passwd", "template"),
    (SLACK + "?image=no&TEMPLATE=/etc/passwd", "template"),
    (SLACK + "?a=b;template=/etc/passwd", "template"),
    (SLACK + "?%74emplate=/etc/passwd", "template"),
    (SLACK + "?:template=/etc/passwd", "template"),
    ("ntfys://topic?attach=file:///etc/passwd", "attach"),
    ("matrixs://user:secret@example.com/#room?keyfile=/etc/passwd", "keyfile"),
    (f"{SLACK} syslog://", "syslog://"),
    (f"{SLACK},syslog://", "syslog://"),
    (f"{SLACK}\n{SLACK}?template=x", "template"),
    (f"{SLACK} json://127.0.0.1/", "Blocked: private address 127.0.0.1."),
    (" ".join([SLACK] * 11), "Enter 10 addresses at most."),
    ("json://[::1/", "Apprise does not recognise"),
    ("json://example.com:99999/", "from 1 to 65535"),
    ("://", "Apprise does not recognise"),
]


@pytest.mark.parametrize(("where", "says"), REFUSED, ids=range(len(REFUSED)))
def test_parameters_that_open_a_file_or_bypass_the_guard_are_refused_when_saved(staff, where, says):
    answer = staff.post("/destinations/new/chat/", {"name": "Chat", "where": where, "language": "en"})

    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Destination.objects.exists()


def test_an_address_saved_before_it_was_refused_is_never_used(receiver):
    answer = send_test(chat(f"json://127.0.0.1:{receiver.port}/?template=/etc/passwd"))

    assert (answer.outcome, receiver.posted) == (SendOutcome.FAILED, [])
    assert "template" in answer.detail


def test_every_address_of_a_list_is_used_and_guarded(receiver, settings):
    both = chat(f"json://127.0.0.1:{receiver.port}/a, json://127.0.0.1:{receiver.port}/b")

    taken = send_test(both)
    settings.INSIDE_DESTINATIONS = []
    refused = send_test(both)

    assert (taken.outcome, refused.outcome) == (SendOutcome.DELIVERED, SendOutcome.FAILED)
    assert [posted.path for posted in receiver.posted] == ["/a", "/b"]


def test_addresses_for_which_no_time_is_left_are_tried_again(receiver, monkeypatch):
    monkeypatch.setattr(http_client, "ALTOGETHER_S", 0.0)

    answer = send_test(chat(f"json://127.0.0.1:{receiver.port}/"))

    assert (answer.outcome, answer.possibly_delivered, receiver.posted) == (SendOutcome.RETRY, False, [])
    assert answer.detail == "No response in time."


def test_an_address_cannot_ask_for_more_time_than_a_lease_leaves():
    [carrier] = carriers("json://example.com/?cto=300&rto=300")

    assert carrier.request_timeout == (http_client.CONNECT_S, http_client.READ_S)


def test_apprise_supports_each_offered_scheme_and_no_parameter_that_opens_a_file_is_accepted():
    arguments = {
        scheme: service["details"]["args"]
        for service in Apprise().details()["schemas"]
        for scheme in (*(service["protocols"] or ()), *(service["secure_protocols"] or ()))
    }
    named = {name for scheme in SCHEMES for name in arguments[scheme]}

    assert named & {"template", "attach"}  # it would find them
    assert {name for name in named if re.search(r"template|attach$|keyfile|subfile|^pgp", name)} <= OPENS_A_FILE


def test_the_docs_list_the_offered_schemes():
    text = (ROOT / "docs/alerting.md").read_text()

    assert [scheme for scheme in sorted(SCHEMES) if f"`{scheme}`" not in text] == []
