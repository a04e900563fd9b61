"""What chat services get of Apprise. Their addresses are fixed in it, so here they are those of this machine."""

import pytest
from apprise.plugins.slack import NotifySlack

from tests.notifications.test_outbox import opened, over
from tms.notifications.destination import Destination, DestinationKind
from tms.notifications.forms import HINTS
from tms.notifications.transports.answer import Outcome
from tms.notifications.trial import send_test

pytestmark = pytest.mark.django_db

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#noc"
TEAMS = "workflows://prod-00.japaneast.logic.azure.com:443/643e69f83c8944/signature/"


def chat(url: str) -> Destination:
    destination = Destination(kind=DestinationKind.CHAT, name="Chat")
    destination.put(url)
    destination.save()
    return destination


@pytest.fixture
def slack(receiver, monkeypatch) -> Destination:
    monkeypatch.setattr(NotifySlack, "webhook_url", receiver.url)
    receiver.usual = (200, {"body": "ok"})
    return chat(SLACK)


def test_slack_gets_what_happened_in_the_colour_of_how_bad_it_is(fleet, hours, policy, receiver, slack):
    policy((0, [slack]))
    alert = opened(fleet, name="CPU too hot")
    hours.pass_(5)
    over(alert, 6)
    hours.pass_(5)

    bad, good = (posted.event for posted in receiver.posted)
    [attachment] = bad["attachments"]
    assert bad["channel"] == "#noc"
    assert "CPU too hot" in attachment["title"]
    assert "CPU too hot" in attachment["text"]
    assert attachment["color"] != good["attachments"][0]["color"]
    assert receiver.posted[0].path.endswith("/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")


@pytest.mark.parametrize("status", [403, 429, 500])
def test_what_slack_refuses_is_tried_again(receiver, slack, status):
    receiver.usual = (status, {"body": "no"})

    answer = send_test(slack)

    assert answer.outcome is Outcome.LATER
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in answer.said


@pytest.mark.parametrize("url", [SLACK, TEAMS])
def test_the_services_that_the_form_names_are_known(staff, url):
    form = {"name": "Chat", "where": url, "language": "en", "enabled": "on"}

    answer = staff.post("/destinations/new/chat/", form)

    assert answer.status_code == 302
    assert url.partition("://")[0] in str(HINTS[DestinationKind.CHAT])
