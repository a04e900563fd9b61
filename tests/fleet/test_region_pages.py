"""The pages of regions."""

import pytest
from django.test import Client

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry, Grant
from tms.fleet.models import Region, Site

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def browser_of(name: str, role: str = "Lead", **scope) -> Client:
    person = people.person(name, of=None)
    people.grant(person, role, **scope)
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def lead(fleet) -> Client:
    for code, region in (("SJK", "Kanto"), ("AKB", "Kanto"), ("UMD", "Kansai")):
        fleet.site(code, region=region)
    Region.objects.filter(name="Kanto").update(name_ja="関東")
    return browser_of("lead")


@pytest.fixture
def kanto(lead) -> Client:
    return browser_of("kanto", region="Kanto")


def pk(name: str) -> int:
    return Region.objects.get(name=name).pk


def test_the_list_has_both_names_and_the_number_of_sites(lead):
    text = lead.get("/regions/").content.decode()

    assert "関東" in text
    assert "2 sites" in text
    assert "1 site\n" in text


def test_a_region_is_created(lead):
    answer = lead.post("/regions/new/", {"name": "Tohoku", "name_ja": "東北"})

    assert answer.status_code == 302
    assert Region.objects.values_list("name_ja").get(name="Tohoku") == ("東北",)
    assert AuditEntry.objects.filter(action="created", subject_type="fleet.region").exists()


@pytest.mark.parametrize("name", ["", "Kanto"])
def test_a_region_needs_a_name_of_its_own(lead, name):
    answer = lead.post("/regions/new/", {"name": name})

    assert answer.status_code == 422
    assert HtmlPage(answer).text("id_name_error")
    assert Region.objects.count() == 2


def test_a_renamed_region_keeps_its_sites_and_grants(lead, kanto):
    answer = kanto.post(f"/regions/{pk('Kanto')}/", {"name": "Greater Tokyo", "name_ja": "首都圏"})

    assert answer.status_code == 302
    assert Site.objects.filter(region="Greater Tokyo").count() == 2
    assert Grant.objects.filter(region="Greater Tokyo").exists()
    assert kanto.get("/sites/SJK/").status_code == 200


def test_a_region_in_use_says_what_uses_it(lead):
    asked = lead.get(f"/regions/{pk('Kansai')}/delete/")
    refused = lead.post(f"/regions/{pk('Kansai')}/delete/")

    assert "1 sites" in asked.content.decode()
    assert refused.status_code == 409
    assert Region.objects.filter(name="Kansai").exists()


def test_an_unused_region_is_deleted_after_a_question(lead):
    Site.objects.filter(region="Kansai").update(region="")
    address = f"/regions/{pk('Kansai')}/delete/"

    asked, answer = lead.get(address), lead.post(address)

    assert asked.status_code == 200
    assert (answer.status_code, answer["Location"]) == (302, "/regions/")
    assert not Region.objects.filter(name="Kansai").exists()


def test_the_lead_of_a_region_changes_that_region_only(kanto):
    shown = kanto.get("/regions/").content.decode()

    assert "Kanto" in shown
    assert "Kansai" not in shown
    assert kanto.get(f"/regions/{pk('Kanto')}/").status_code == 200
    assert kanto.post(f"/regions/{pk('Kansai')}/", {"name": "Mine"}).status_code == 404
    assert kanto.get("/regions/new/").status_code == 403


def test_who_may_change_one_site_may_not_change_its_region(lead):
    browser = browser_of("one", site=Site.objects.get(code="SJK"))

    assert browser.get("/regions/").status_code == 200
    assert browser.post(f"/regions/{pk('Kanto')}/", {"name": "Mine"}).status_code == 403
    assert browser_of("viewer", "Viewer").get("/regions/").status_code == 403
