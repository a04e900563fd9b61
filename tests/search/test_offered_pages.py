"""The pages that the global search offers."""

import pytest

from tests.support import people
from tests.support.pages import HtmlPage
from tms.search.pages import PAGES


@pytest.mark.parametrize(("role", "region"), [("Viewer", ""), ("Lead", "Kansai"), ("Administrator", "Kansai")])
def test_every_page_that_is_offered_opens(client, fleet, role, region):
    fleet.site("UMD", region="Kansai")
    person = people.person("mori", of=None)
    people.grant(person, role, region=region)
    client.force_login(person)
    page = HtmlPage(client.get("/search/"))

    answers = {link: client.get(link).status_code for link in page.links() if link.startswith("/")}

    assert {link: status for link, status in answers.items() if status not in {200, 302}} == {}


def test_every_page_of_the_navigation_is_offered(client, fleet):
    client.force_login(people.make_superuser(people.person("root")))
    page = HtmlPage(client.get("/slo/"))
    offered = HtmlPage(client.get("/search/")).links()

    in_rail = {
        attributes["href"]
        for tag, attributes in page.elements
        if tag == "a" and "rail-link" in (attributes.get("class") or "")
    }

    assert in_rail <= set(offered)
    assert len({entry.url for entry in PAGES}) == len(PAGES)
