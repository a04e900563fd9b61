"""The pages on which notifications are configured and deliveries are listed."""

import pytest
from django.test import Client

from tests.support.factories import alert, incident, now
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy

pytestmark = pytest.mark.django_db

PAGES = ["/destinations/", "/policies/", "/deliveries/"]


@pytest.mark.parametrize("page", PAGES)
def test_an_anonymous_visitor_sees_nothing(db, page):
    assert Client().get(page).status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_page_shows_the_first_step(staff, page):
    seen = HtmlPage(staff.get(page))

    assert "blank" in seen.html


def test_a_destination_is_created_and_its_key_shown_once(staff, receiver):
    answer = HtmlPage(staff.post("/destinations/new/webhook/", {"name": "Hook", "where": receiver.url, **USUAL}))

    made = Destination.objects.get()
    key = made.secrets()["key"]
    assert key in answer.text("key")
    for address in (made.get_absolute_url(), "/destinations/"):
        html = staff.get(address).content.decode()
        assert key not in html
        assert "s3cret" not in html


def test_saved_without_an_address_it_keeps_the_current_one(staff, hook, receiver):
    staff.post(hook.get_absolute_url(), {"name": "Renamed", "where": "", **USUAL})

    hook.refresh_from_db()
    assert (hook.name, hook.secrets()["url"]) == ("Renamed", receiver.url)


@pytest.mark.parametrize(
    ("kind", "where", "says"),
    [
        ("webhook", "ftp://example.com", "https://"),
        ("webhook", "https://example.com:99999/", "from 1 to 65535"),
        ("webhook", "https://example.com:" + "9" * 400, "https://"),
        ("webhook", "https://[::1/", "https://"),
        ("webhook", "https://[v1.x]/", "https://"),
        ("webhook", "https://ex\u2100mple.com/", "https://"),
        ("webhook", "https://" + "a" * 64 + ".com/", "https://"),
        ("webhook", "https://me:secret@example.com/", "name and password"),
        ("email", "noc@example.com, nobody", "nobody"),
        ("sns", "arn:aws:s3:::bucket", "arn:aws:sns"),
        ("chat", "nonsense", "Apprise"),
        ("chat", "syslog://", "Apprise"),
    ],
)
def test_an_invalid_address_is_refused_with_the_expected_form(staff, kind, where, says):
    answer = staff.post(f"/destinations/new/{kind}/", {"name": "X", "where": where, **USUAL})

    assert answer.status_code == 422
    assert says in HtmlPage(answer).text("id_where_error")
    assert not Destination.objects.exists()


@pytest.mark.parametrize(
    ("kind", "where", "shown"),
    [
        ("email", "noc@example.com, night@example.com", "noc@example.com, night@example.com"),
        ("sns", "arn:aws:sns:ap-northeast-1:123456789012:tms", "arn:aws:sns:ap-northeast-1:123456789012:tms"),
        ("chat", "slack://T0000000000/B00000000/xxxxxxxxxxxxxxxxxxxxxxxx/#noc", "slack://…"),
    ],
)
def test_only_the_public_part_of_an_address_is_shown(staff, kind, where, shown):
    answer = staff.post(f"/destinations/new/{kind}/", {"name": "X", "where": where, **USUAL}, follow=True)

    assert Destination.objects.get().address == shown
    assert shown in answer.content.decode()
    assert "xxxxxxxx" not in answer.content.decode()


def test_the_test_button_shows_the_response(staff, hook, receiver):
    receiver.script = [(503, {"body": "database is <down>"})]

    answers = [HtmlPage(staff.post(f"/destinations/{hook.pk}/test/")) for _ in range(2)]

    assert answers[0].attribute("result", "data-outcome") == "retry"
    assert "503 Service Unavailable: database is <down>" in answers[0].text("result")
    assert "<down>" not in answers[0].html
    assert answers[1].attribute("result", "data-outcome") == "delivered"
    assert "204 No Content" in answers[1].text("result")


def test_a_new_key_replaces_the_old_one(staff, hook):
    before = hook.secrets()["key"]

    answer = HtmlPage(staff.post(f"/destinations/{hook.pk}/key/"))

    hook.refresh_from_db()
    after = hook.secrets()["key"]
    assert after != before
    assert after in answer.text("key")


@pytest.mark.parametrize("what", ["", "test/", "key/"])
def test_people_without_the_permission_may_read_and_not_send(watcher, hook, receiver, what):
    answer = watcher.post(f"/destinations/{hook.pk}/{what}", {"name": "Mine", **USUAL})

    assert answer.status_code == 403
    assert receiver.posted == []
    assert "<button" not in _main(watcher.get(hook.get_absolute_url()).content.decode())


def test_a_policy_is_created_with_its_steps(staff, hook, receiver):
    other = webhook_destination(receiver.url, "Other")

    answer = staff.post("/policies/new/", policy_form(hook, other))

    policy = Policy.objects.get()
    assert answer.status_code == 302
    assert policy.severities == ["critical"]
    assert [(step.after_s, step.destinations.get().name) for step in policy.steps.all()] == [
        (0, "Hook"),
        (900, "Other"),
    ]
    page = HtmlPage(staff.get(policy.get_absolute_url()))
    assert page.attribute("id_steps-1-after_min", "value") == "15"


def test_a_policy_without_recipients_is_refused(staff, hook):
    form = policy_form(hook, hook)
    del form["steps-0-destinations"], form["steps-1-destinations"]

    answer = staff.post("/policies/new/", form)

    assert answer.status_code == 422
    assert not Policy.objects.exists()


def test_a_policy_is_saved_again_and_deleted(staff, hook):
    staff.post("/policies/new/", policy_form(hook, hook))
    policy = Policy.objects.get()

    staff.post(policy.get_absolute_url(), policy_form(hook, hook) | {"name": "Renamed"})
    names = list(Policy.objects.values_list("name", flat=True))
    staff.post(f"/policies/{policy.pk}/delete/")

    assert names == ["Renamed"]
    assert policy.steps.count() == 1
    assert not Policy.objects.not_deleted().exists()


def test_a_delivery_that_waits_is_listed_by_what_it_is_of(staff, fleet, hook):
    at = now()
    waiting = Delivery.objects.create(
        key="waiting", destination=hook, kind="opened", is_of_incidents=True, created_at=at, due_at=at, give_up_at=at
    )
    waiting.items.create(incident=incident(fleet))

    assert "Opened: 1 incident" in HtmlPage(staff.get("/deliveries/")).html


def test_deliveries_are_listed_by_state_and_a_failed_one_is_sent_again(
    watcher, fleet, delivery_clock, policy, hook, receiver
):
    receiver.script = [(400, {"body": "no such channel"})]
    policy((0, [hook]))
    made = alert(fleet)
    delivery_clock.advance(5)
    delivery = Delivery.objects.get()

    dead = HtmlPage(watcher.get("/deliveries/?state=dead"))
    sent = HtmlPage(watcher.get("/deliveries/?state=sent"))
    one = HtmlPage(watcher.get(delivery.get_absolute_url()))
    watcher.post(f"/deliveries/{delivery.pk}/again/")
    delivery_clock.at = max(delivery_clock.at, now())
    delivery_clock.advance(5)

    assert dead.rows("delivery-") == [f"delivery-{delivery.pk}"]
    assert sent.rows("delivery-") == []
    assert "no such channel" in one.html
    assert made.get_absolute_url() in one.links()
    assert Delivery.objects.get().state == "sent"


USUAL = {"language": "en", "enabled": "on"}


def policy_form(first: Destination, second: Destination) -> dict[str, object]:
    return {
        "name": "NOC",
        "severities": ["critical"],
        "delay_s": "0",
        "group_wait_s": "5",
        "enabled": "on",
        "steps-TOTAL_FORMS": "4",
        "steps-INITIAL_FORMS": "0",
        "steps-0-destinations": [first.pk],
        "steps-1-after_min": "15",
        "steps-1-destinations": [second.pk],
    }


def _main(html: str) -> str:
    return html.partition("<main")[2].partition("</main>")[0]
