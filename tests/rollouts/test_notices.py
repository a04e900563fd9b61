"""Who is told of a rollout: its starter, policies that ask for it, and webhooks; nobody of terminals out of sight."""

import pytest

from tests.support import people
from tests.support.builders import later
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tests.support.rollouts import make_rollout
from tms.notifications import rollout_notices
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.policy import Policy, Step
from tms.rollouts import services
from tms.rollouts.models import RolloutEvent

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(fleet):
    return people.person("lead", of="Manager")


def policy(name: str, rollouts: list[str], **destination) -> Policy:
    made = Policy.objects.create(name=name, rollouts=rollouts)
    step = Step.objects.create(policy=made, position=0)
    step.destinations.add(webhook_destination(f"https://{name}.example.com/", name, **destination))
    return made


def test_the_starter_is_told_everything_and_policies_what_they_ask_for(fleet, lead):
    fleet.terminals_online(2, site=fleet.site("AAA"), model="KX-21", features=["update"])
    webhook_destination("https://phone.example.com/", "Phone", person=lead)
    policy("stops", ["stops"])
    policy("local", ["stops"], owner_site=fleet.site("BBB"))
    made = make_rollout(lead)
    services.stop(made, at=later(1), reason="failures")

    rollout_notices.send_due(later(2))
    rollout_notices.send_due(later(2))

    told = [(one.destination.name, one.content["title"].split(":")[0]) for one in Delivery.objects.order_by("pk")]
    assert sorted(told) == [
        ("Phone", "TMS stopped a rollout"),
        ("Phone", "Wave 1 of a rollout has started"),
        ("stops", "TMS stopped a rollout"),
    ]
    content = Delivery.objects.get(destination__name="stops").content
    assert content["lines"][0] == "too many installations failed"
    assert content["facts"]["rollouts"][0]["counts"] == {"ordered": 1, "waiting": 1}
    assert not RolloutEvent.objects.undispatched().exists()


def test_the_page_names_who_is_notified_of_what(fleet, lead):
    fleet.terminals_online(2, site=fleet.site("AAA"), model="KX-21", features=["update"])
    policy("desk", ["stops", "holds"])
    policy("local", ["stops"], owner_site=fleet.site("BBB"))
    made = make_rollout(lead)
    browser = people.signed_in(lead)

    def panel() -> str:
        return HtmlPage(browser.get(made.get_absolute_url())).text("notified")

    assert panel() == "Who is notified lead no destination desk hold, stop"
    webhook_destination("https://phone.example.com/", "Phone", person=lead)
    assert panel() == "Who is notified lead each wave, hold, stop, end desk hold, stop"
