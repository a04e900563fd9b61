"""The first steps of a new TMS on the overview."""

import pytest

from tests.support.pages import HtmlPage
from tests.support.people import make_superuser, person, signed_in
from tms.fleet.models import Site
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy

pytestmark = pytest.mark.both


@pytest.fixture
def open_overview(fleet):
    browser = signed_in(make_superuser(person("first", of=None)))
    return lambda: HtmlPage(browser.get("/"))


def steps(page: HtmlPage) -> list[str | None]:
    return [attributes["data-step"] for tag, attributes in page.elements if tag == "li" and "data-step" in attributes]


def test_an_empty_tms_shows_three_steps_instead_of_lists(open_overview):
    page = open_overview()

    assert steps(page) == ["now", "later", "later"]
    assert {"/sites/new/", "/enrol/", "/destinations/new/"} <= page.links()
    hidden = [attributes.get("class") for _, attributes in page.elements if "hidden" in attributes]
    assert {"totals", "overview"} <= set(hidden)


def test_each_step_is_ticked_when_it_is_done(open_overview, fleet):
    seen = []
    Site.objects.create(code="SJK", name="Shinjuku")
    seen.append(steps(open_overview()))
    fleet.terminal(site=Site.objects.get())
    seen.append(steps(open_overview()))
    Policy.objects.create(name="All")
    seen.append(steps(open_overview()))

    assert seen == [["done", "now", "later"], ["done", "done", "now"], []]


def test_the_last_step_leads_to_a_policy_once_there_is_a_destination(open_overview, fleet):
    fleet.terminal()
    Destination.objects.create(name="Operations", kind="email")

    assert "/policies/new/" in open_overview().links()


def test_the_lists_are_back_with_the_first_terminal(open_overview, fleet):
    fleet.terminal()

    hidden = [attributes.get("class") for _, attributes in open_overview().elements if "hidden" in attributes]

    assert "overview" not in hidden


@pytest.mark.parametrize("role", ["Viewer", "Operator"])
def test_people_who_cannot_set_up_tms_see_no_steps(fleet, role):
    page = HtmlPage(signed_in(person("watcher", of=role)).get("/"))

    assert "first-run" not in page.ids


def test_the_empty_list_of_terminals_leads_to_the_enrolment(open_overview, client):
    client.force_login(make_superuser(person("boss", of=None)))

    page = HtmlPage(client.get("/terminals/"))

    assert "/enrol/" in page.links()
    assert "manage.py" not in page.html
