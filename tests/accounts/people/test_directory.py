"""What pages show of the directory, and what they leave to it."""

import re

import pytest

from tests.support import people
from tests.support.accounts.directory import Directory, id_of, ok, service_account
from tests.support.pages import HtmlPage
from tms.accounts.models import ApiToken, AuditEntry, Team, TokenScope


@pytest.fixture
def directory(boss) -> Directory:
    return Directory(service_account())


def test_a_token_for_the_directory_is_issued_and_listed_with_its_scope(browser, boss):
    account = service_account()

    answer = browser.post(f"/people/{account.pk}/tokens/", {"name": "sync", "days": 30, "scope": "scim"})

    token = ApiToken.objects.get(person=account)
    assert token.scope == TokenScope.SCIM
    assert re.search(r"tms_[\w-]{40,}", HtmlPage(answer).html)
    assert "Directory (SCIM)" in HtmlPage(browser.get(f"/people/{account.pk}/")).text("tokens")


def test_people_cannot_create_one_for_themselves(browser):
    answer = browser.post("/me/tokens/new/", {"name": "sync", "days": 30, "scope": "scim"})

    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_the_panel_shows_what_the_directory_manages(browser, region_browser, directory):
    before = HtmlPage(browser.get("/people/service-accounts/")).text("scim")
    first = directory.create("aiko@noc.example")
    directory.create("ben@noc.example", active=False)
    directory.create_group("Night shift", first)
    panel = HtmlPage(browser.get("/people/service-accounts/")).text("scim")

    assert "no request yet" in before
    assert "http://testserver/scim/v2" in panel
    assert "Valid tokens 1 People 1 and 1 disabled Teams 1" in panel
    assert "scim-title" not in HtmlPage(region_browser.get("/people/service-accounts/")).html


def test_the_list_says_who_was_removed_by_the_directory(browser, directory):
    keiko = people.person("keiko@noc.example")
    mori = people.person("mori@noc.example")
    ok(directory.patch(f"Users/{id_of(keiko)}", {"op": "replace", "value": {"active": False}}))
    browser.post(f"/people/{mori.pk}/disable/")

    results = HtmlPage(browser.get("/people/?f=disabled")).text("results")

    assert results.count("Removed by SCIM") == 1
    assert results.count("disabled") == 1
    assert "disabled there" in HtmlPage(browser.get(f"/people/{keiko.pk}/")).text("main")


def test_the_members_of_a_team_of_the_directory_are_not_changed_on_the_page(browser, directory):
    aiko, ben = directory.create("aiko@noc.example"), people.person("ben")
    team = Team.objects.get(pk=directory.create_group("Night shift", aiko).removeprefix("team-"))
    address = f"/people/teams/{team.pk}/"

    page = HtmlPage(browser.get(address))
    refusals = [
        browser.post(address, {"name": "Days"}),
        browser.post(f"{address}members/", {"person": ben.pk}),
        browser.post(f"{address}members/{aiko.removeprefix('person-')}/remove/"),
    ]

    assert "Name and members follow the directory." in page.text("main")
    assert "/members/" not in page.html
    assert [answer.status_code for answer in refusals] == [403, 403, 403]


def test_a_team_is_taken_back_and_is_the_directorys_again_with_its_next_change(browser, directory):
    key = directory.create_group("Night shift")
    team = Team.objects.get(pk=key.removeprefix("team-"))
    address = f"/people/teams/{team.pk}/"

    answers = [browser.post(f"{address}release/"), browser.post(address, {"name": "Days"})]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-2:] == ["released", "changed"]
    ok(directory.patch(f"Groups/{key}", {"op": "replace", "path": "displayName", "value": "Nights"}))
    assert browser.post(address, {"name": "Days"}).status_code == 403
