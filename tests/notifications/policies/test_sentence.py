"""The page of a policy: a sentence whose words are chosen, and a preview of what is in the form."""

import re

import pytest
from django.test import Client

from tests.support.notifications.alerts import open_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts.models.audit_entry import AuditEntry
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy, Step

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(receiver) -> Destination:
    return webhook_destination(receiver.url, "Shift lead")


@pytest.fixture
def noc(policy, hook, lead, fleet) -> Policy:
    return policy((0, [hook]), (300, [lead]), name="NOC", severities=["critical"], repeat_s=1_800)


def form(hook: Destination, lead: Destination, **changed: object) -> dict[str, object]:
    return {
        "name": "NOC",
        "severities": ["critical", "warning"],
        "delay_s": "0",
        "group_wait_s": "30",
        "repeat_s": "3600",
        "enabled": "on",
        "steps-TOTAL_FORMS": "4",
        "steps-INITIAL_FORMS": "0",
        "steps-0-destinations": [lead.pk],
        "steps-1-after_min": "10",
        "steps-1-destinations": [hook.pk],
        **changed,
    }


def main(client: Client, page: str) -> str:
    html = client.get(page).content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(
        HtmlPage(type("Answer", (), {"content": f'<main id="main" {html}</main>'.encode()})).text("main").split()
    )


def test_it_reads_as_a_sentence(staff, watcher, noc):
    text = main(watcher, noc.get_absolute_url())
    page = HtmlPage(staff.get(noc.get_absolute_url()))

    assert "When an alert or incident of severity critical opens at any site of the whole fleet" in text
    assert "At once notify Hook After 5 min notify Shift lead Then repeat every 30 min until acknowledged" in text
    assert "When it is resolved, notify everyone who was notified" in text
    assert [page.text(f"word-{name}") for name in ("severities", "sites", "repeat")] == [
        "severity critical",
        "any site",
        "every 30 min",
    ]
    assert (page.text("step-1-after"), page.text("step-1-to")) == ("After 5 min", "Shift lead")


def test_it_says_of_which_events_of_rollouts_it_notifies_and_they_are_chosen_there(staff, watcher, noc, hook, lead):
    staff.post(noc.get_absolute_url(), form(hook, lead, rollouts=["holds", "stops"]))
    page = HtmlPage(staff.get(noc.get_absolute_url()))
    noc.refresh_from_db()

    assert noc.rollouts == ["holds", "stops"]
    assert page.text("word-rollouts") == "hold and stop"
    assert "Notify the first step of hold and stop in rollouts." in main(watcher, noc.get_absolute_url())


def test_a_person_without_the_permission_chooses_nothing(watcher, noc):
    page = HtmlPage(watcher.get(noc.get_absolute_url()))

    assert '<details class="pick"' not in page.html
    assert "policy-form" not in page.ids


def test_the_page_shows_who_would_be_notified_of_the_newest_alert(staff, watcher, noc, fleet):
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1"), name="CPU too hot")

    for client in (staff, watcher):
        page = HtmlPage(client.get(noc.get_absolute_url()))
        text = page.text("preview")
        assert "CPU too hot (SJK-1)" in text
        assert "0 s Hook, Webhook" in text
        assert "5 min Shift lead, Webhook only if nobody acknowledged by then" in text
        assert "35 min Everybody again every 30 min until acknowledged" in text
        assert f'value="alert-{alert.pk}"' in page.html


def test_htmx_gets_the_preview_of_what_is_in_the_form_and_its_words_and_nothing_is_saved(staff, noc, hook, lead, fleet):
    open_alert(fleet)
    audited = AuditEntry.objects.count()

    answer = HtmlPage(
        staff.post(f"/policies/{noc.pk}/preview/", form(hook, lead) | {"subject": "made-up"}, headers=HTMX_HEADERS)
    )

    assert "<html" not in answer.html
    assert answer.text("word-severities") == "severity critical or warning"
    assert (answer.text("step-0-to"), answer.text("step-1-after")) == ("Shift lead", "After 10 min")
    lines = " ".join(answer.html.split())
    assert lines.index("Shift lead, Webhook") < lines.index("Hook, Webhook", lines.index("Shift lead, Webhook") + 20)
    assert "10 min 30 s" in lines
    assert Policy.objects.get().severities == ["critical"]
    assert Step.objects.get(position=0).destinations.get() == hook
    assert AuditEntry.objects.count() == audited


def test_a_new_policy_has_a_preview_before_it_has_a_name(staff, hook, lead, fleet):
    open_alert(fleet)

    page = HtmlPage(staff.post("/policies/new/preview/", form(hook, lead, name="")))

    assert "30 s Shift lead, Webhook" in page.text("preview")
    assert page.attribute("id_steps-1-after_min", "value") == "10"
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"repeat_s": "10"}, "everything in the form is valid"),
        ({"severities": ["info"]}, "another severity"),
        ({"enabled": ""}, "The policy is disabled"),
        ({"subject": "alert-99999"}, "Choose an alert"),
    ],
)
def test_it_says_why_there_is_no_notification(staff, noc, hook, lead, fleet, changed, says):
    open_alert(fleet)

    answer = staff.post(f"/policies/{noc.pk}/preview/", form(hook, lead, **changed), headers=HTMX_HEADERS)

    assert says in answer.content.decode()


def test_only_people_with_the_permission_preview_a_form(watcher, noc, hook, lead):
    assert watcher.post(f"/policies/{noc.pk}/preview/", form(hook, lead)).status_code == 403


def test_the_list_previews_all_policies_and_names_them(watcher, noc, policy, hook, fleet):
    policy((0, [hook]), name="Everything")
    open_alert(fleet)

    text = HtmlPage(watcher.get("/policies/")).text("preview")

    assert "NOC" in text
    assert "Everything" in text


def test_its_fields_are_checked_while_a_person_fills_them_in_and_nothing_is_saved(staff, noc, hook, lead):
    address = f"{noc.get_absolute_url()}?check=1"
    wrong = form(hook, lead, name="", _left=["name", "delay_s", "steps-1-after_min"], **{"steps-1-after_min": "-1"})

    html = staff.post(address, wrong).content.decode()
    staff.post(address, form(hook, lead, _left=["name"]))

    assert re.findall(r'data-field="([^"]+)">([^<]*)<', html) == [
        ("name", "This field is required. "),
        ("delay_s", ""),
        ("steps-1-after_min", "Ensure this value is greater than or equal to 0. "),
    ]
    noc.refresh_from_db()
    assert (noc.name, noc.severities) == ("NOC", ["critical"])
