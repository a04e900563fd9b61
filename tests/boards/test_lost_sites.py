"""An outage of several sites on the overview: each site with its impact, suspects, and who is notified next."""

import re

import pytest

from tests.support import people
from tests.support.notifications.destinations import webhook_destination
from tms.accounts.scope import EVERYTHING
from tms.alerts.models import Incident
from tms.boards.pages import OverviewPage, RenderContext
from tms.boards.rendering.renderer import render_part_for_frame
from tms.fleet.models import TerminalState
from tms.notifications.models.policy import Escalation, Policy, Step

pytestmark = [pytest.mark.both, pytest.mark.django_db]
SITES = ("UMD", "SJK", "SPR", "NGY")


@pytest.fixture
def wide(storm, fleet) -> Incident:
    """Four sites of a carrier are lost, and one is not. One terminal of Umeda is online over another line."""
    shops = [storm.shop(code, 4, kind="payment") for code in SITES]
    spared = storm.shop("UMD", 1, kind="kiosk")
    storm.shop("OSK", 5)
    fleet.group("Kitanet", *(terminal for shop in shops for terminal in shop))
    for shop in shops:
        storm.lose(shop)
    TerminalState.objects.filter(terminal__in=spared).update(presence="online")
    return Incident.objects.unresolved().get()


def shown(storm, row: str) -> str:
    state = OverviewPage(EVERYTHING).page_state(RenderContext(storm.scheduler.at, EVERYTHING))
    return " ".join(re.sub(r"<[^>]+>", " ", render_part_for_frame(row, state.parts[row])).split())


def test_each_site_has_a_line_with_its_impact(storm, wide):
    text = shown(storm, f"incident-{wide.pk}")

    assert "Group Kitanet: 4 sites, 16 of 16 terminals offline" in text
    for code, number in zip(SITES, (5, 4, 4, 4), strict=True):
        assert f"Site {code} 4 of {number} offline Payment terminal 4 Payment terminal: none of 4 working" in text


def test_suspects_are_weighed_by_what_is_online(storm, wide):
    text = shown(storm, f"incident-{wide.pk}")

    assert re.search(r"Group Kitanet ?: likely", text)
    assert "Power: unlikely 1 online there" in text
    assert "TMS: ruled out 5 online elsewhere" in text


def test_the_next_step_of_the_escalation_counts_down(storm, wide):
    tanaka = people.person("tanaka", of="Operator")
    policy = Policy.objects.create(name="Critical")
    for position, (name, after_s) in enumerate((("NOC", 0), ("Duty phone", 300))):
        step = Step.objects.create(policy=policy, position=position, after_s=after_s)
        step.destinations.add(webhook_destination("https://hooks.example.com/", person=tanaka, name=name))
    Escalation.objects.create(
        incident=wide,
        policy=policy,
        kind="opened",
        happened_at=storm.scheduler.at,
        next_step=1,
        steps_taken=1,
        due_at=storm.scheduler.at,
    )

    assert "escalates to Duty phone in" in shown(storm, f"incident-{wide.pk}")


def test_sites_that_are_still_forming_have_the_same_lines(storm):
    shops = [storm.shop(code, 4, kind="payment") for code in SITES]
    for shop in shops[:2]:
        storm.lose(shop)

    text = shown(storm, "forming")

    assert "2 sites: 8 of 8 terminals offline" in text
    assert "Site UMD 4 of 4 offline" in text
    assert "Acknowledge 2" in text
