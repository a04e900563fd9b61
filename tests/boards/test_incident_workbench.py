"""The page of an incident as a workbench: how many, why, why not, who is next, whom to call, and the draft."""

import re
from datetime import time, timedelta

import pytest

from tests.support import factories, people
from tests.support.factories import now
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.alerts import correlation
from tms.alerts.correlation.evidence.common_factor import common_factor
from tms.alerts.correlation.evidence.lift import Significance, lifts
from tms.alerts.models import Alert, Incident
from tms.fleet.models import Presence, SiteContact, TerminalState
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, Policy, Step
from tms.notifications.models.rotation import Rotation

pytestmark = pytest.mark.both


@pytest.fixture
def incident(fleet) -> Incident:
    """Five of five payment terminals at one site are lost."""
    return factories.incident(fleet)


def bring_back(incident: Incident) -> None:
    alert = Alert.objects.filter(incident=incident).earliest("pk")
    TerminalState.objects.filter(pk=alert.terminal_id).update(presence=Presence.ONLINE)
    factories.resolved(alert)
    correlation.correlate(now())


def test_each_terminal_is_a_cell_and_those_that_are_back_stay_as_outlines(page, incident):
    bring_back(incident)

    seen = page(incident.get_absolute_url())

    assert "5 affected, 4 offline, 1 back" in seen.text("cells")
    assert "4 / 5" in seen.text("cells")
    cells = [attributes.get("data-worst") for tag, attributes in seen.elements if tag == "a"]
    assert (cells.count("critical"), cells.count("back")) == (4, 1)


def test_the_curve_is_a_step_line_of_terminals_away(page, incident):
    bring_back(incident)

    seen = page(incident.get_absolute_url())

    [line] = [attributes["d"] for tag, attributes in seen.elements if attributes.get("class") == "rise"]
    assert "At most 5 offline, now 4" in seen.html
    assert re.fullmatch(r"M0 160(H[\d.]+V[\d.]+)+H400", line or "")


def test_a_factor_is_named_only_above_half_and_above_the_fleet(fleet):
    away = [fleet.terminal(model="PX-300", firmware="4.8").pk for _ in range(5)]
    away += [fleet.terminal(model="KX-20", firmware="4.8").pk for _ in range(2)]
    for _ in range(20):
        fleet.terminal(model="QX-1", firmware="4.8")

    found = {(row.factor.value, row.key): row for row in lifts(away)}

    px = found["model", "PX-300"]
    assert (px.number, px.of, px.in_fleet, px.fleet) == (5, 7, 5, 27)
    assert (px.significance, round(px.lift, 2)) == (Significance.NAMED, 3.86)
    assert found["firmware", "4.8"].significance is Significance.AS_IN_FLEET
    assert next(iter(lifts(away))) == px


@pytest.mark.parametrize(
    ("models", "significance"),
    [
        (["PX-300"] * 5 + ["KX-20"] * 5, Significance.BELOW_HALF),
        (["PX-300"] * 4, Significance.TOO_FEW),
        (["PX-300"], Significance.TOO_FEW),
    ],
)
def test_half_of_the_terminals_or_fewer_than_five_name_no_factor(fleet, models, significance):
    away = [fleet.terminal(model=model).pk for model in models]
    for _ in range(20):
        fleet.terminal(model="QX-1")

    assert {row.significance for row in lifts(away) if row.factor == "model"} == {significance}


def test_a_recovered_incident_keeps_the_factor_of_its_cause(page, fleet, incident):
    """All five are of one model; the last one that stays away would have another firmware in common with nobody."""
    alerts = list(Alert.objects.filter(incident=incident).select_related("terminal"))
    for alert in alerts:
        alert.terminal.model, alert.terminal.firmware = "PX-300", "2" if alert == alerts[-1] else "1"
        alert.terminal.save()
    for _ in range(20):
        fleet.online(model="KX-20", firmware="1")
    for alert in alerts[:-1]:
        TerminalState.objects.filter(pk=alert.terminal_id).update(presence=Presence.ONLINE)

    common_factor(incident)
    seen = page(incident.get_absolute_url())

    assert (incident.common_factor, incident.common_name, incident.common_count) == ("model", "PX-300", 5)
    assert "Model PX-300 covers 5 of 5, and 20.0% of the fleet" in seen.text("factors")
    assert "back" not in seen.text("unaffected")


def test_what_is_not_affected_rules_causes_out(page, fleet, incident):
    fleet.online(site=incident.site, kind="kiosk")

    seen = page(incident.get_absolute_url())

    assert "Kiosk: 1 online at Site SJK Power ruled out" in seen.text("unaffected")


def test_people_with_a_part_of_the_fleet_see_no_numbers_of_the_rest(client, fleet, incident):
    east = people.person("east", of=None)
    people.grant(east, "Operator", site=incident.site)
    client.force_login(east)

    seen = HtmlPage(client.get(incident.get_absolute_url()))

    assert "Numbers of the fleet are for people who see all of it." in seen.text("factors")


def escalating(incident: Incident, person) -> Policy:
    policy = Policy.objects.create(name="Kansai critical")
    for position, (name, after_s) in enumerate((("NOC Tokyo", 0), ("Duty phone", 300), ("Area manager", 600))):
        step = Step.objects.create(policy=policy, position=position, after_s=after_s)
        step.destinations.add(webhook_destination("https://hooks.example.com/", person=person, name=name))
    Escalation.objects.create(
        incident=incident, policy=policy, kind="opened", happened_at=now(), next_step=1, steps_taken=1, due_at=now(170)
    )
    return policy


def test_the_escalation_shows_who_is_next_and_when(page, incident, tanaka):
    escalating(incident, tanaka)

    seen = page(incident.get_absolute_url())

    assert "Kansai critical" in seen.text("escalation")
    assert "Duty phone" in seen.text("escalation")
    assert "Next: Duty phone" in seen.text(f"incident-{incident.pk}")
    assert re.search(r"escalates in 0?2:\d\d", seen.text(f"incident-{incident.pk}"))


def test_the_escalation_says_why_a_step_has_no_reachable_destination(page, incident, tanaka):
    policy = escalating(incident, tanaka)
    Destination.objects.filter(name="Duty phone").update(enabled=False)
    step = Step.objects.get(policy=policy, position=2)
    step.destinations.clear()
    step.rotations.add(Rotation.objects.create(name="Weekends", starts_on=now().date(), handover_at=time(9)))

    text = page(incident.get_absolute_url()).text("escalation")

    assert "Duty phone: not notified: the destination is disabled" in text
    assert "Weekends: nobody is on call" in text


def test_an_acknowledgement_stops_the_countdown(page, incident, tanaka):
    escalating(incident, tanaka)
    correlation.acknowledge(incident, by=tanaka, comment="", at=now())

    Destination.objects.update(enabled=False)

    seen = page(incident.get_absolute_url())

    assert "not notified" not in seen.text("escalation")
    assert "escalates in" not in seen.text(f"incident-{incident.pk}")
    assert "stopped" in seen.text("escalation")


def test_the_runbook_of_the_rule_is_beside_the_contacts(page, fleet):
    lost = factories.incident(fleet, runbook="1. Call the **shop**", name="Offline")

    seen = page(lost.get_absolute_url())

    assert "Offline Call the shop" in seen.text("runbooks")
    assert lost.alerts.first().rule.get_absolute_url() in seen.links()


def test_contacts_of_the_site_can_be_called(page, incident):
    SiteContact.objects.create(site=incident.site, name="Store office", phone="+81 6-6313-1301", note="until 22:00")

    seen = page(incident.get_absolute_url())

    assert "tel:+81663131301" in seen.links()
    assert "until 22:00" in seen.text("contacts")


def rows(*names: str, **first: str) -> dict[str, str]:
    fields = {"form-TOTAL_FORMS": "6", "form-INITIAL_FORMS": "0"}
    fields |= {f"form-{index}-name": name for index, name in enumerate(names)}
    return fields | {f"form-0-{name}": value for name, value in first.items()}


def test_contacts_are_edited_where_the_permission_covers_the_site(client, fleet):
    site = fleet.site("SJK")
    manager = people.person("manager", of="Manager")
    client.force_login(manager)
    address = f"/sites/{site.code}/contacts/"

    answer = client.post(address, rows("Office", "", "Field service", phone="06-1"))

    assert answer.status_code == 302
    assert list(site.contacts.values_list("name", "phone", "position")) == [
        ("Office", "06-1", 0),
        ("Field service", "", 1),
    ]
    assert client.post(address, rows("Office", email="no address")).status_code == 422
    assert client.get("/sites/NOPE/contacts/").status_code == 404


def test_the_draft_is_markdown_without_markup_from_outside(browser, page, incident, tanaka):
    correlation.acknowledge(
        incident, by=tanaka, comment="# <b>*fibre cut*", at=incident.opened_at + timedelta(seconds=117)
    )

    answer = browser.get(f"{incident.get_absolute_url()}post-mortem/")

    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/markdown")
    assert text.startswith("# Site SJK: 5 of 5 terminals offline\n")
    assert "**Acknowledged.** M. Tanaka, after 1 min 57 s" in text
    assert r"\# \<b\>\*fibre cut\*" in text
    assert "&#10;" in page(incident.get_absolute_url()).html
