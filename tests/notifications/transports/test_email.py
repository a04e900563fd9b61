"""Messages at a mail server, and how TMS handles its responses."""

from collections.abc import Iterator

import pytest

from tests.support.notifications.alerts import open_alert
from tests.support.servers.mail_server import MailServer, serving_mail
from tms.config.email_url import mailer
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    for server in serving_mail():
        settings.EMAIL_URL = server.url
        settings.MAILERS = {"default": mailer(server.url)}
        settings.DEFAULT_FROM_EMAIL = "TMS <tms@noc.example.jp>"
        yield server


@pytest.fixture
def mail(server) -> Destination:
    destination = Destination(kind="email", name="NOC", language="ja")
    destination.set_address("noc@example.jp, night@example.jp")
    destination.save()
    return destination


def test_a_mail_goes_to_all_of_its_addresses_and_has_the_id_of_the_delivery(
    fleet, delivery_clock, policy, server, mail
):
    policy((0, [mail]))
    open_alert(fleet, name="CPU too hot", name_ja="CPU高温")

    delivery_clock.advance(5)

    [got], sent = server.mails, Delivery.objects.get()
    assert (got.sender, got.to) == ("tms@noc.example.jp", ["noc@example.jp", "night@example.jp"])
    assert "CPU高温" in got.message["Subject"]
    assert "CPU高温" in got.message.get_body().get_content()
    assert got.message["Message-ID"] == f"<{sent.uid}@noc.example.jp>"
    assert got.message["Auto-Submitted"] == "auto-generated"
    assert got.message["X-TMS-Possible-Duplicate"] is None
    assert (sent.state, sent.attempts) == ("sent", 1)


@pytest.mark.parametrize(
    ("refuses", "outcome", "says"),
    [
        ({"MAIL": "550 who are you"}, SendOutcome.RETRY, "550 who are you"),
        ({"MAIL": "451 later"}, SendOutcome.RETRY, "451 later"),
        ({"noc@example.jp": "550 unknown", "night@example.jp": "550 unknown"}, SendOutcome.FAILED, "550 unknown"),
        ({"noc@example.jp": "450 full", "night@example.jp": "450 full"}, SendOutcome.RETRY, "450 full"),
        ({"noc@example.jp": "450 full", "night@example.jp": "550 unknown"}, SendOutcome.RETRY, "550 unknown"),
        ({"DATA": "552 too large"}, SendOutcome.FAILED, "552 too large"),
        ({"DATA": "421 closing"}, SendOutcome.RETRY, "421 closing"),
        ({"END": "554 spam"}, SendOutcome.FAILED, "554 spam"),
    ],
)
def test_a_refusal_decides_whether_it_is_retried(server, mail, refuses, outcome, says):
    server.refuses = refuses

    answer = send_test(mail)

    assert answer.outcome is outcome
    assert says in answer.detail
    assert not answer.possibly_delivered


def test_a_mail_that_only_some_addresses_get_says_which_do_not(server, mail):
    server.refuses = {"night@example.jp": "550 unknown"}

    answer = send_test(mail)

    assert answer.outcome is SendOutcome.DELIVERED
    assert "1件" in answer.detail
    assert "night@example.jp: 550 unknown" in answer.detail
    assert [got.to for got in server.mails] == [["noc@example.jp"]]


def test_a_wrong_password_of_the_mail_server_is_retried_until_it_is_corrected(server, mail, settings):
    server.refuses = {"EHLO": "250-mail.example.com\r\n250 AUTH PLAIN", "AUTH": "535 authentication failed"}
    settings.MAILERS = {"default": mailer(server.url.replace("://", "://tms:wrong@"))}

    answer = send_test(mail)

    assert (answer.outcome, answer.possibly_delivered) == (SendOutcome.RETRY, False)
    assert "535 authentication failed" in answer.detail


def test_a_mail_without_a_final_response_is_marked_as_a_possible_duplicate_the_next_time(
    fleet, delivery_clock, policy, server, mail
):
    server.refuses = {"END": ""}
    policy((0, [mail]))
    open_alert(fleet)
    delivery_clock.advance(1)
    server.refuses = {}

    delivery_clock.advance(30)

    first, second = server.mails
    assert first.message["X-TMS-Possible-Duplicate"] is None
    assert second.message["X-TMS-Possible-Duplicate"] == "true"
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_an_unavailable_server_is_retried(server, mail):
    server.close()

    answer = send_test(mail)

    assert answer.outcome is SendOutcome.RETRY
    assert not answer.possibly_delivered
