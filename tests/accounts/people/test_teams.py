"""Teams: members hold what the team holds."""

import pytest

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts import access
from tms.accounts.models import AuditEntry, Grant, Team, User
from tms.accounts.permissions import Permission
from tms.accounts.roles import built_in


@pytest.fixture
def nights(kansai) -> Team:
    made = Team.objects.create(name="Nights")
    people.grant_team(made, "Operator", region="Kansai")
    return made


def actions() -> list[str]:
    return list(AuditEntry.objects.exclude(action="signed-in").order_by("pk").values_list("action", flat=True))


def test_a_team_is_created_granted_a_role_and_joined(browser):
    keiko = people.person("keiko", of=None)

    browser.post("/people/teams/new/", {"name": "Days"})
    team = Team.objects.get(name="Days")
    browser.post(f"/people/teams/{team.pk}/grants/", {"role": built_in("Operator").pk, "scope": "region:Tokyo"})
    browser.post(f"/people/teams/{team.pk}/members/", {"person": keiko.pk})

    assert access.may(User.objects.get(pk=keiko.pk), Permission.HANDLE_ALERTS)
    assert actions() == ["created", "granted", "member-added"]
    text = HtmlPage(browser.get(f"/people/teams/{team.pk}/")).text("main")
    assert "Days Operator Tokyo 1 person" in text


def test_a_person_who_leaves_a_team_loses_what_it_holds(browser, nights):
    keiko = people.person("keiko", of=None)
    nights.members.add(keiko)

    for _ in range(2):
        browser.post(f"/people/teams/{nights.pk}/members/{keiko.pk}/remove/")

    assert not access.may(User.objects.get(pk=keiko.pk), Permission.HANDLE_ALERTS)
    assert actions() == ["member-removed"]


def test_deleting_a_team_names_the_consequences(browser, nights):
    nights.members.add(people.person("keiko", of=None))

    question = HtmlPage(browser.get(f"/people/teams/{nights.pk}/delete/")).text("main")
    answer = browser.post(f"/people/teams/{nights.pk}/delete/")

    assert "1 grant is withdrawn. 1 person loses what the team holds." in question
    assert answer["Location"] == "/people/teams/"
    assert not Team.objects.exists()
    assert not Grant.objects.exclude(team=None).exists()
    assert actions() == ["withdrawn", "deleted"]


def test_two_teams_cannot_have_one_name(browser, nights):
    assert browser.post("/people/teams/new/", {"name": "Nights"}).status_code == 422


def test_a_team_that_holds_more_than_its_editor_may_grant_cannot_be_changed(region_browser, nights):
    people.grant_team(nights, "Viewer", region="Tokyo")
    keiko = people.person("keiko", of=None)
    people.grant(keiko, "Viewer", region="Kansai")
    teams = f"/people/teams/{nights.pk}/"

    for path, sent in (("", {"name": "x"}), ("members/", {"person": keiko.pk}), ("delete/", {}), ("grants/", {})):
        assert region_browser.post(teams + path, sent).status_code == 403
    text = HtmlPage(region_browser.get(teams)).text("main")
    assert "This team holds more than you may grant" in text
    assert "1 further grant outside your scope" in text


def test_teams_elsewhere_look_as_if_they_did_not_exist(region_browser):
    days = Team.objects.create(name="Days")
    people.grant_team(days, "Viewer", region="Tokyo")

    assert region_browser.get(f"/people/teams/{days.pk}/").status_code == 404
    assert "Days" not in HtmlPage(region_browser.get("/people/teams/")).text("main")


def test_only_people_whom_the_reader_manages_can_join(region_browser, nights, boss):
    answer = region_browser.post(f"/people/teams/{nights.pk}/members/", {"person": boss.pk})

    assert answer.status_code == 422
    assert not nights.members.exists()


def test_a_team_without_grants_counts_the_people_whom_the_reader_manages(region_browser, kansai):
    team = Team.objects.create(name="Days")
    for name, region in (("keiko", "Kansai"), ("mori", "Tokyo")):
        member = people.person(name, of=None)
        people.grant(member, region=region)
        team.members.add(member)

    text = HtmlPage(region_browser.get("/people/teams/")).text("main")

    assert "Days" in text
    assert "1 person" in text
