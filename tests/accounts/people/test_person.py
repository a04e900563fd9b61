"""The page of a person: grants, and the account as a whole."""

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts import api_tokens
from tms.accounts.models import AuditEntry, Grant, Role, Team, User
from tms.accounts.roles import built_in


@pytest.fixture
def keiko(kansai) -> User:
    made = people.person("keiko", of=None, first_name="Keiko", last_name="Sato")
    people.grant(made, "Operator", region="Kansai")
    return made


def grant(browser, person: User, role: str, scope: str):
    return browser.post(f"/people/{person.pk}/grants/", {"role": built_in(role).pk, "scope": scope})


def held(person: User) -> set[str]:
    return {f"{grant.role.name} {grant.scope_name}" for grant in Grant.objects.filter(person=person)}


def actions() -> list[str]:
    return list(AuditEntry.objects.exclude(action="signed-in").order_by("pk").values_list("action", flat=True))


# Grants


@pytest.mark.parametrize("kind", ["everything", "region", "site", "group"])
def test_a_role_is_granted_for_any_scope(browser, boss, keiko, kansai, kind):
    site, group = kansai.site("UMD"), kansai.group("Gates")
    scope, name = {
        "everything": ("everything", "everything"),
        "region": ("region:Tokyo", "Tokyo"),
        "site": (f"site:{site.pk}", site.name),
        "group": (f"group:{group.pk}", "Gates"),
    }[kind]

    answer = grant(browser, keiko, "Viewer", scope)

    assert answer["Location"] == f"/people/{keiko.pk}/"
    assert held(keiko) == {"Operator Kansai", f"Viewer {name}"}
    assert actions() == ["granted"]
    assert Grant.objects.latest("pk").created_by == boss


def test_granting_twice_does_no_harm(browser, keiko):
    for _ in range(2):
        grant(browser, keiko, "Viewer", "region:Tokyo")

    assert held(keiko) == {"Operator Kansai", "Viewer Tokyo"}
    assert actions() == ["granted"]


@pytest.mark.parametrize(
    "scope", ["", "region:", "region:Atlantis", "site:0", "site:x", "group:²", "planet:1", "x" * 999]
)
def test_an_unknown_scope_is_refused(browser, keiko, scope):
    answer = grant(browser, keiko, "Viewer", scope)

    assert answer.status_code == 422
    assert "error" in HtmlPage(answer).html
    assert held(keiko) == {"Operator Kansai"}


@pytest.mark.parametrize(
    ("role", "scope"), [("Viewer", "everything"), ("Viewer", "region:Tokyo"), ("Administrator", "region:Tokyo")]
)
def test_a_grant_beyond_ones_scope_is_refused(region_browser, keiko, role, scope):
    assert grant(region_browser, keiko, role, scope).status_code == 422
    assert held(keiko) == {"Operator Kansai"}


def test_a_role_with_permissions_that_the_granter_lacks_is_refused(keiko):
    role = Role.objects.create(name="Office", permissions=["manage_people"])
    office = people.person("office", of=None)
    Grant.objects.create(person=office, role=role, region="Kansai")
    browser = people.signed_in(office)

    assert grant(browser, keiko, "Operator", "region:Kansai").status_code == 422
    assert grant(browser, keiko, "Viewer", "region:Kansai").status_code == 302
    assert held(keiko) == {"Operator Kansai", "Viewer Kansai"}


def test_permissions_held_elsewhere_do_not_count(keiko):
    """Lead in Tokyo and manager of people in Kansai: no leads for Kansai."""
    role = Role.objects.create(name="Office", permissions=["manage_people"])
    office = people.person("office", of=None)
    Grant.objects.create(person=office, role=role, region="Kansai")
    people.grant(office, "Lead", region="Tokyo")

    answer = grant(people.signed_in(office), keiko, "Lead", "region:Kansai")

    assert answer.status_code == 422
    assert "You may grant only what you hold: not Lead for Kansai." in HtmlPage(answer).text("main")


@pytest.mark.parametrize("prefix", ["", "grant-1-"])
def test_the_form_shows_what_a_grant_would_give(browser, kansai, prefix):
    kansai.terminal(site=kansai.site("UMD"))

    sent = {f"{prefix}role": built_in("Operator").pk, f"{prefix}scope": "region:Kansai"}
    text = " ".join(HtmlPage(browser.get("/people/preview/", sent)).html.split())

    assert "Sees 1 site and 1 terminal." in text
    assert "send commands to terminals" in text


def test_a_preview_of_more_than_the_reader_holds_shows_nothing(region_browser):
    text = HtmlPage(region_browser.get("/people/preview/", {"role": built_in("Viewer").pk, "scope": "everything"})).html

    assert "Sees" not in text


def test_a_grant_is_withdrawn_and_the_withdrawal_undone(browser, keiko):
    [one] = Grant.objects.filter(person=keiko)

    answer = browser.post(f"/people/grants/{one.pk}/withdraw/")

    assert held(keiko) == set()
    page = HtmlPage(browser.get(answer["Location"]))
    assert "Withdrawn: Operator, Kansai" in page.text("main")
    browser.post(f"/people/{keiko.pk}/grants/", {"role": one.role_id, "scope": "region:Kansai"})
    assert held(keiko) == {"Operator Kansai"}
    assert actions() == ["withdrawn", "granted"]


def test_the_undo_of_a_withdrawal_names_no_scope_of_others(region_browser, kansai, keiko):
    site = kansai.site("HID", name="Hidden site", region="Tokyo")

    page = region_browser.get(f"/people/{keiko.pk}/?role={built_in('Operator').pk}&scope=site:{site.pk}")

    assert page.status_code == 200
    assert "Hidden site" not in page.content.decode()


@pytest.mark.parametrize("how", ["own grant", "team"])
def test_the_last_administrator_stays(browser, boss, how):
    held = Grant.objects.get(person=boss)
    address = f"/people/grants/{held.pk}/withdraw/"
    if how == "team":
        team = Team.objects.create(name="Administrators")
        team.members.add(boss)
        Grant.objects.update(team=team, person=None)
        address = f"/people/teams/{team.pk}/members/{boss.pk}/remove/"

    refused = browser.post(address)
    people.grant(people.person("deputy", of=None), "Administrator")
    accepted = browser.post(address)

    assert "At least one person must manage people everywhere" in HtmlPage(refused).text("main")
    assert "Removed from the team" not in refused.content.decode()
    assert (refused.status_code, accepted.status_code) == (422, 302)


def test_a_grant_out_of_reach_cannot_be_withdrawn(region_browser, keiko):
    elsewhere = people.grant(keiko, "Operator", region="Tokyo")

    assert region_browser.post(f"/people/grants/{elsewhere.pk}/withdraw/").status_code == 404
    assert held(keiko) == {"Operator Kansai", "Operator Tokyo"}


def test_a_grant_of_a_team_is_shown_but_not_withdrawn_here(browser, keiko):
    team = Team.objects.create(name="Nights")
    team.members.add(keiko)
    one = people.grant_team(team, "Viewer")

    page = HtmlPage(browser.get(f"/people/{keiko.pk}/"))

    assert "through team Nights" in page.text("main")
    assert f"/people/grants/{one.pk}/withdraw/" not in page.html


@pytest.mark.parametrize("action", ["grants", "disable", "end-sessions"])
def test_a_change_is_published_so_that_open_boards_are_checked(
    browser, keiko, feed_recorder, django_capture_on_commit_callbacks, action
):
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"/people/{keiko.pk}/{action}/", {"role": built_in("Viewer").pk, "scope": "everything"})

    assert feed_recorder.change().people == {keiko.pk}


# The account


def test_a_disabled_person_is_signed_out_and_their_tokens_stop(browser, keiko, boss):
    theirs = people.signed_in(keiko)
    _token, secret = api_tokens.issue(keiko, name="script", at=timezone.now())

    question = browser.get(f"/people/{keiko.pk}/disable/")
    browser.post(f"/people/{keiko.pk}/disable/")

    assert "Disable this account?" in HtmlPage(question).text("main")
    assert theirs.get("/").status_code == 302
    assert api_tokens.find(secret, at=timezone.now()) is None
    assert actions()[-1] == "disabled"
    browser.post(f"/people/{keiko.pk}/enable/")
    assert User.objects.get(pk=keiko.pk).is_active
    assert actions()[-1] == "enabled"
    assert theirs.get("/").status_code == 302


def test_ending_all_sessions_leaves_those_of_others(browser, keiko):
    first, second = people.signed_in(keiko), people.signed_in(keiko)
    other = people.signed_in(people.person("other"))

    answer = browser.post(f"/people/{keiko.pk}/end-sessions/")

    assert "All sessions ended." in HtmlPage(browser.get(answer["Location"])).text("main")
    assert [client.get("/").status_code for client in (first, second, other, browser)] == [302, 302, 200, 200]
    assert actions() == ["sessions-ended"]


def test_lost_second_factors_are_removed(browser, keiko):
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=keiko, type=kind, data={})

    page = browser.get(f"/people/{keiko.pk}/")
    question = browser.get(f"/people/{keiko.pk}/factors/")
    answer = browser.post(f"/people/{keiko.pk}/factors/")

    assert "Code (TOTP)" in HtmlPage(page).text("main")
    assert "Remove all second factors?" in HtmlPage(question).text("main")
    assert "Second factors removed." in HtmlPage(browser.get(answer["Location"])).text("main")
    assert not Authenticator.objects.exists()
    assert actions() == ["factor-removed"]


@pytest.mark.parametrize(("policy", "shown"), [("operators", "None, required"), ("nobody", "No second factor")])
def test_a_missing_factor_is_shown_as_required_by_the_policy(browser, keiko, settings, policy, shown):
    settings.SECOND_FACTOR = policy

    assert shown in HtmlPage(browser.get(f"/people/{keiko.pk}/")).text("main")


ACCOUNT = ("disable", "enable", "end-sessions", "factors", "resend")


@pytest.mark.parametrize("action", ACCOUNT)
def test_the_account_of_a_person_who_holds_more_cannot_be_changed(region_browser, keiko, action):
    people.grant(keiko, "Viewer", region="Tokyo")

    assert region_browser.post(f"/people/{keiko.pk}/{action}/").status_code == 403
    assert "This person holds more than you may grant" in HtmlPage(region_browser.get(f"/people/{keiko.pk}/")).text(
        "main"
    )


@pytest.mark.parametrize("action", ACCOUNT)
def test_ones_own_account_cannot_be_changed_here(browser, boss, action):
    assert browser.post(f"/people/{boss.pk}/{action}/").status_code == 403


@pytest.mark.parametrize("action", ACCOUNT)
def test_only_superusers_change_the_account_of_a_superuser(browser, action):
    root = User.objects.create_superuser("root")

    assert browser.post(f"/people/{root.pk}/{action}/").status_code == 403


def test_a_disabled_person_who_holds_more_stays_disabled(region_browser, keiko):
    people.grant(keiko, "Administrator")
    User.objects.filter(pk=keiko.pk).update(is_active=False)

    assert region_browser.post(f"/people/{keiko.pk}/enable/").status_code == 403
