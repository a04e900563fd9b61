"""The list of people: who is in it for whom, search, filters."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support import people
from tests.support.builders import AT
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts.models import ProvisionedPerson, Team, User
from tms.accounts.people import account


def names(browser, query: str = "") -> set[str]:
    answer = browser.get(f"/people/{query}", headers=HTMX_HEADERS)
    assert answer.status_code == 200
    return {name for name in User.objects.values_list("username", flat=True) if f">{name}<" in HtmlPage(answer).html}


def test_everyone_is_listed_with_their_grants(browser, boss):
    keiko = people.person("keiko", of=None, first_name="Keiko", last_name="Sato", email="k.sato@noc.example")
    people.grant(keiko, "Operator", region="Kansai")
    people.grant(keiko, "Operator", region="Tokyo")
    people.grant(keiko, "Viewer")

    text = HtmlPage(browser.get("/people/")).text("results")

    assert "Keiko Sato k.sato@noc.example" in text
    assert "Operator Kansai, Tokyo Viewer everything" in text


def test_more_grants_than_fit_are_counted(browser, kansai):
    keiko = people.person("keiko", of=None)
    for role in ("Viewer", "Operator", "Lead"):
        people.grant(keiko, role)

    assert "+1" in HtmlPage(browser.get("/people/")).text("results")


def test_a_grant_of_a_team_is_listed_for_its_members(browser):
    keiko = people.person("keiko", of=None)
    team = Team.objects.create(name="Nights")
    team.members.add(keiko)
    people.grant_team(team, "Lead", region="Tokyo")

    assert "Lead Tokyo" in HtmlPage(browser.get("/people/")).text("results")


@pytest.mark.parametrize(
    ("words", "found"), [("sato", {"keiko"}), ("kansai", {"keiko", "regional"}), ("nobody", set())]
)
def test_the_search_covers_names_and_grants(browser, regional, words, found):
    people.grant(people.person("keiko", of=None, last_name="Sato"), "Operator", region="Kansai")

    assert names(browser, f"?q={words}") == found


def test_filters_are_counted(browser, boss):
    at = datetime.now(UTC)
    people.person("idle", last_login=at - timedelta(days=31))
    people.person("off", is_active=False)
    people.person("bare", of=None)
    people.person("careless", password="watch-the-fleet-7")

    page = HtmlPage(browser.get("/people/"))

    assert names(browser, "?f=idle") == {"idle"}
    assert names(browser, "?f=disabled") == {"off"}
    assert names(browser, "?f=no-factor") == {"careless"}
    assert names(browser, "?f=no-grant") == {"bare"}
    assert "Not seen for 30 days 1" in page.text("filters")
    assert "Disabled 1" in page.text("filters")


def test_the_number_of_a_filter_respects_the_others_and_the_search(browser, boss):
    people.person("idle", of=None, last_login=datetime.now(UTC) - timedelta(days=31))
    people.person("bare", of=None)

    both, searched = (
        HtmlPage(browser.get("/people/?f=idle")),
        HtmlPage(browser.get("/people/?q=bare", headers=HTMX_HEADERS)),
    )

    numbers = ("count-idle", "count-no-grant")
    assert [both.text(name) for name in numbers] == ["1", "1"]
    assert [searched.text(name) for name in numbers] == ["0", "1"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("", "ann boss carl dora"),
        ("-name", "dora carl boss ann"),
        ("-seen", "boss carl ann dora"),
        ("seen", "ann carl boss dora"),
    ],
)
def test_the_list_is_sorted_by_its_headers(browser, boss, order, found):
    """People who were never seen come last in both directions."""
    for name, days in (("ann", 9), ("carl", 2)):
        people.person(name, last_name=name, last_login=datetime.now(UTC) - timedelta(days=days))
    people.person("dora", last_name="dora")
    User.objects.filter(pk=boss.pk).update(last_name="boss")

    html = HtmlPage(browser.get(f"/people/?order={order}", headers=HTMX_HEADERS)).html

    assert sorted(found.split(), key=lambda name: html.index(f">{name}<")) == found.split()


def test_a_long_list_has_pages(browser):
    for number in range(60):
        people.person(f"p-{number:02}")

    first = HtmlPage(browser.get("/people/"))
    second = HtmlPage(browser.get("/people/?page=2"))

    assert "1 to 50 of 61" in first.text("results")
    assert "/people/?page=2" in first.links()
    assert "51 to 61 of 61" in second.text("results")


def test_only_a_person_whom_the_directory_disabled_last_is_shown_as_removed_by_it(browser):
    keiko = people.person("keiko", of=None, is_active=False)
    ProvisionedPerson.objects.create(person=keiko, created_at=AT, changed_at=AT, deactivated_at=AT)
    shown = [HtmlPage(browser.get("/people/")).text("results")]

    account.enable(keiko)
    account.disable(keiko, at=AT)
    shown.append(HtmlPage(browser.get("/people/")).text("results"))

    assert ["Removed by SCIM" in text for text in shown] == [True, False]
    assert "disabled" in shown[1]


@pytest.mark.parametrize("query", ["?page=x", "?page=-1", "?page=999999999999", "?f=nonsense", "?page="])
def test_nonsense_in_the_address_shows_the_list(browser, query):
    assert browser.get(f"/people/{query}").status_code == 200


# Who manages people in a part of the fleet


def test_a_regional_manager_sees_the_people_who_hold_a_grant_there(region_browser, boss, kansai):
    here = people.person("here", of=None)
    people.grant(here, "Operator", region="Kansai")
    at_site = people.person("at-site", of=None)
    people.grant(at_site, "Operator", site=kansai.site("UMD"))
    elsewhere = people.person("elsewhere", of=None)
    people.grant(elsewhere, "Operator", region="Tokyo")
    people.person("everywhere")
    people.person("bare", of=None)

    assert names(region_browser) == {"regional", "here", "at-site"}


def test_a_regional_manager_sees_no_grants_elsewhere(region_browser):
    here = people.person("here", of=None)
    people.grant(here, "Operator", region="Kansai")
    people.grant(here, "Lead", region="Tokyo")

    page = HtmlPage(region_browser.get(f"/people/{here.pk}/"))

    assert "Tokyo" not in page.text("main")
    assert "1 further grant outside your scope" in page.text("main")
    assert names(region_browser, "?q=tokyo") == set()


def test_other_people_look_as_if_they_did_not_exist(region_browser, boss):
    assert region_browser.get(f"/people/{boss.pk}/").status_code == 404
    assert region_browser.get("/people/999999/").status_code == 404
