"""Links in messages acknowledge once, as their recipient, and reading them changes nothing."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.core import mail
from django.test import Client

from tests.support import people
from tests.support.builders import AT
from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.people import person
from tms.accounts.models import AuditEntry, Grant, User
from tms.alerts.lifecycle import acknowledge
from tms.alerts.models import Alert
from tms.fleet.models import Group
from tms.notifications.action_links import links, services, views
from tms.notifications.action_links.services import LinkOutcome
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination

pytestmark = [pytest.mark.both, pytest.mark.django_db]

LINK = re.compile(r"^Acknowledge: https://tms\.example\.com(/act/\S+/)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def sending(settings, monkeypatch) -> None:
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://localhost", "https://tms.example.com"
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT + timedelta(hours=1))


@pytest.fixture
def kimura(fleet) -> User:
    return person("kimura", of="Operator", first_name="Ken", last_name="Kimura")


@pytest.fixture
def mailbox(kimura) -> Destination:
    return Destination.objects.create(kind="email", name="Kimura", address="kimura@example.com", person=kimura)


@pytest.fixture
def shared(fleet) -> Destination:
    return Destination.objects.create(kind="email", name="NOC mail", address="noc@example.com")


@pytest.fixture
def send(fleet, policy, delivery_clock):
    """Notify a destination of alerts, and return the path of the link."""

    def send(destination: Destination, *alerts: Alert) -> str:
        policy((0, [destination]))
        opened = alerts or (open_alert(fleet),)
        delivery_clock.advance(1)
        assert Delivery.objects.filter(destination=destination, alerts=opened[0]).exists()
        return link_in(mail.outbox[-1].body)

    return send


def link_in(body: str) -> str:
    found = LINK.search(body)
    return found[1] if found else ""


def test_a_mail_has_a_link_that_acknowledges_as_its_recipient(send, mailbox, kimura):
    path, client = send(mailbox), Client()

    before = client.get(path)
    alert_before = Alert.objects.get().state
    after = client.post(path)

    alert = Alert.objects.get()
    assert (before.status_code, alert_before, after.status_code) == (HTTPStatus.OK, "open", HTTPStatus.OK)
    assert "You acknowledge as <bdi>Ken Kimura</bdi>" in before.text
    assert "Acknowledged" in after.text
    assert (alert.state, alert.acknowledged_by, alert.contract) == ("acknowledged", kimura, "recovery")
    entry = AuditEntry.objects.get(action="acknowledged")
    assert (entry.actor, entry.via, entry.changes["destination"]) == (kimura, "link", [None, "Kimura"])
    assert entry.address == "127.0.0.1"


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_reading_a_link_changes_nothing(send, mailbox, method):
    path = send(mailbox)
    entries = AuditEntry.objects.count()

    for _ in range(3):
        getattr(Client(), method)(path)

    assert Alert.objects.get().state == "open"
    assert AuditEntry.objects.count() == entries
    assert Delivery.objects.get().link_used_at is None


def test_a_link_works_once(send, mailbox, fleet):
    path = send(mailbox)
    Client().post(path)
    Alert.objects.update(state="open", acknowledged_at=None, acknowledged_by=None)

    again = Client().post(path)

    assert "already used" in again.text
    assert Alert.objects.get().state == "open"


def test_one_link_acknowledges_all_alerts_of_its_message(send, mailbox, fleet):
    rule = fleet.metric_rule(severity="critical")
    alerts = [open_alert(fleet, rule=rule, terminal=fleet.online(uid=uid)) for uid in ("T-1", "T-2")]
    path = send(mailbox, *alerts)
    resolve_alert(alerts[0], 1)

    answer = Client().post(path, headers={"Accept": "application/json"})

    assert answer.json()["title"] == "Acknowledged"
    assert list(Alert.objects.order_by("pk").values_list("state", flat=True)) == ["resolved", "acknowledged"]


# Who may


def disable(kimura, mailbox):
    User.objects.filter(pk=kimura.pk).update(is_active=False)


def take_grant(kimura, mailbox):
    Grant.objects.filter(person=kimura).delete()


def make_viewer(kimura, mailbox):
    take_grant(kimura, mailbox)
    people.grant(kimura, "Viewer")


def give_elsewhere(kimura, mailbox):
    take_grant(kimura, mailbox)
    people.grant(kimura, "Operator", group=Group.objects.create(name="Elsewhere"))


def switch_off(kimura, mailbox):
    Destination.objects.filter(pk=mailbox.pk).update(enabled=False)


@pytest.mark.parametrize("change", [disable, take_grant, make_viewer, give_elsewhere, switch_off])
def test_a_link_ends_with_the_right_of_its_recipient(send, mailbox, kimura, change):
    path = send(mailbox)
    change(kimura, mailbox)

    answers = [Client().get(path), Client().post(path)]

    assert [answer.status_code for answer in answers] == [HTTPStatus.FORBIDDEN] * 2
    assert Alert.objects.get().state == "open"


@pytest.mark.parametrize("change", [{"address": "else@example.com"}, {"person": None}])
def test_a_link_is_invalid_once_its_destination_is_another(send, mailbox, change):
    path = send(mailbox)
    Destination.objects.filter(pk=mailbox.pk).update(**change)

    assert Client().post(path).status_code == HTTPStatus.NOT_FOUND
    assert Alert.objects.get().state == "open"


def test_the_setting_ends_links_that_were_sent(send, mailbox, settings):
    path = send(mailbox)
    settings.ACTION_LINKS = "off"

    assert Client().post(path).status_code == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("mode", "has_link"), [("off", False), ("people", False), ("all", True)])
def test_shared_destinations_have_links_only_if_the_setting_says_so(send, shared, settings, mode, has_link):
    settings.ACTION_LINKS = mode

    assert bool(send(shared)) is has_link


def test_a_shared_destination_acknowledges_under_its_own_name(send, shared, settings):
    settings.ACTION_LINKS = "all"
    path = send(shared)

    page, _used = Client().get(path), Client().post(path)

    account = Alert.objects.get().acknowledged_by
    assert "recorded as acknowledged by <bdi>NOC mail</bdi>" in page.text
    assert (account.display_name, account.is_service, account.has_usable_password()) == ("NOC mail", True, False)
    assert AuditEntry.objects.get(action="acknowledged").changes["destination"] == [None, "NOC mail"]


def test_a_person_without_the_permission_gets_no_link(send, mailbox, kimura):
    make_viewer(kimura, mailbox)

    assert send(mailbox) == ""


def test_the_content_of_a_delivery_does_not_hold_its_link(send, mailbox):
    send(mailbox)

    assert "/act/" not in str(Delivery.objects.get().content)


# What it says when there is nothing to do


def resolve(fleet):
    resolve_alert(Alert.objects.get(), 30)


def take(fleet):
    acknowledge(Alert.objects.all(), by=person("mori", of="Operator"), comment="", at=AT)


@pytest.mark.parametrize(("before", "text"), [(resolve, "Already resolved"), (take, "Already acknowledged by mori")])
def test_a_late_link_says_what_happened_first(send, mailbox, fleet, before, text):
    path = send(mailbox)
    before(fleet)

    assert text in Client().get(path).text
    assert text in Client().post(path).text
    assert Delivery.objects.get().link_used_at is None


def test_a_link_expires(send, mailbox, settings):
    path = send(mailbox)
    link = links.find(path.split("/")[2])
    end = link.delivery.due_at + timedelta(hours=settings.ACTION_LINK_HOURS)

    assert services.preview(link, at=end).outcome is LinkOutcome.READY
    assert services.acknowledge(link, at=end + timedelta(seconds=1)).outcome is LinkOutcome.EXPIRED


# Hostile tokens


@pytest.fixture
def token(send, mailbox) -> str:
    return send(mailbox).split("/")[2]


@pytest.mark.parametrize(
    "altered",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: ("0" if token[0] != "0" else "1") + token[1:],
        lambda token: token.partition(".")[0],
        lambda token: token + "." + token,
        lambda token: token.upper(),
        lambda token: "." * 150,
        lambda token: "x" * 10_000,
        lambda token: "\u2028%00",
    ],
)
def test_an_altered_token_is_invalid(token, altered, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert links.find(altered(token)) is None


def test_a_token_of_another_secret_key_is_invalid(token, settings):
    settings.SECRET_KEY = "another-secret-key-another-secret-key-another"

    assert links.find(token) is None


def test_guessing_is_limited(token, monkeypatch):
    monkeypatch.setattr(views, "INVALID_OF_NETWORK", 3)
    guess = lambda: Client().get("/act/guess/", REMOTE_ADDR="198.51.100.9").status_code  # noqa: E731

    statuses = [guess() for _ in range(4)]

    assert statuses == [HTTPStatus.NOT_FOUND] * 3 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert Client().get(f"/act/{token}/", REMOTE_ADDR="198.51.100.9").status_code == HTTPStatus.OK


def test_the_page_of_a_link_is_not_indexed_and_sends_no_referrer(token):
    answer = Client().get(f"/act/{token}/")

    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
