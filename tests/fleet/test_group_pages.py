"""The pages of groups: who sees what, who changes it, and what is refused with its reason."""

import re

import pytest
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.accounts.models import AuditEntry, User
from tms.fleet.groups import dynamic, services
from tms.fleet.groups.uses import uses_of
from tms.fleet.models import Group, SavedView
from tms.jobs.services import JobValues, create_job
from tms.lib.calendar.recurrence import Occurrence

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def lead() -> Client:
    """Manages the groups of the whole fleet."""
    return people.signed_in(people.person("lead", of="Manager"))


def page(browser: Client, path: str, status: int = 200) -> HtmlPage:
    answer = browser.get(path)
    assert answer.status_code == status, answer.content
    return HtmlPage(answer)


def test_a_group_is_made_renamed_and_deleted(lead):
    made = lead.post("/groups/new/", {"name": "Pilot stores"})
    group = Group.objects.get()
    renamed = lead.post(f"/groups/{group.pk}/", {"name": "Pilot stores, winter"})
    question = page(lead, f"/groups/{group.pk}/delete/")
    deleted = lead.post(f"/groups/{group.pk}/delete/")

    assert (made["Location"], renamed["Location"], deleted["Location"]) == (
        f"/groups/{group.pk}/",
        f"/groups/{group.pk}/",
        "/groups/",
    )
    assert "Delete this group?" in question.html
    assert not Group.objects.exists()
    entries = AuditEntry.objects.filter(subject_type="fleet.group").order_by("pk")
    assert list(entries.values_list("action", "actor_name")) == [
        ("created", "lead"),
        ("changed", "lead"),
        ("deleted", "lead"),
    ]


@pytest.mark.parametrize("name", ["", " ", "Lobby", "x" * 101])
def test_a_wrong_name_is_refused_and_stays_in_the_form(lead, fleet, name):
    fleet.group("Lobby")
    group = fleet.group("Platforms")

    answer = lead.post(f"/groups/{group.pk}/", {"name": name})

    assert answer.status_code == 422
    assert HtmlPage(answer).text("id_name_error")
    assert Group.objects.filter(name="Platforms").exists()


def test_members_are_added_by_pasted_uids_and_removed_by_ticking_them(lead, fleet):
    one, two = fleet.terminal(uid="T-1"), fleet.terminal(uid="T-2")
    group = fleet.group("Lobby")

    lead.post(f"/groups/{group.pk}/members/", {"terminals": "T-1\nT-2, T-1"})
    added = set(group.terminals.all())
    lead.post(f"/groups/{group.pk}/members/remove/", {"terminal": [one.pk]})

    assert added == {one, two}
    assert list(group.terminals.all()) == [two]


def test_unknown_uids_are_named_and_nothing_is_added(lead, fleet):
    fleet.terminal(uid="T-1")
    group = fleet.group("Lobby")

    answer = lead.post(f"/groups/{group.pk}/members/", {"terminals": "T-1 NIL-7"})

    assert answer.status_code == 422
    assert "NIL-7" in HtmlPage(answer).text("id_terminals_error")
    assert group.terminals.count() == 0


def test_members_are_searched(lead, fleet):
    group = fleet.group("Lobby", fleet.terminal(uid="T-1", label="Gate 7"), fleet.terminal(uid="T-2"))

    shown = page(lead, f"/groups/{group.pk}/?q=gate+7").html

    assert "T-1" in shown
    assert "/terminals/T-2/" not in shown


def test_the_page_names_what_uses_the_group_and_why_it_cannot_be_deleted(lead, fleet):
    group = fleet.group("Lobby", fleet.terminal())
    fleet.metric_rule(group=group, name="Too hot in the lobby")

    shown = page(lead, f"/groups/{group.pk}/")
    refused = lead.post(f"/groups/{group.pk}/delete/")

    assert "Too hot in the lobby" in shown.html
    assert refused.status_code == 409
    assert "Too hot in the lobby" in refused.content.decode()
    assert Group.objects.exists()


def test_members_of_a_group_that_is_a_scope_are_changed_by_people_who_manage_people(fleet, lead):
    terminal = fleet.terminal(uid="T-1")
    group = fleet.group("Lobby")
    people.grant(people.person("mori", of=None), "Operator", group=group)
    administrator = people.person("admin", of=None)
    people.grant(administrator, "Administrator")

    shown = page(lead, f"/groups/{group.pk}/")
    refused = lead.post(f"/groups/{group.pk}/members/", {"terminals": "T-1"})
    done = people.signed_in(administrator).post(f"/groups/{group.pk}/members/", {"terminals": "T-1"})

    assert "permission to manage people" in shown.html
    assert "id_terminals" not in shown.ids
    assert (refused.status_code, done.status_code) == (403, 302)
    assert list(group.terminals.all()) == [terminal]


def in_region(region: str) -> User:
    chosen = people.person(f"of-{region}", of=None)
    people.grant(chosen, "Lead", region=region)
    return chosen


def test_a_person_sees_groups_with_a_terminal_of_their_scope_and_only_those_members(fleet):
    near, far = fleet.site("SJK", region="Kanto"), fleet.site("OSK", region="Kansai")
    mixed = fleet.group("Mixed", fleet.terminal(uid="NEAR-1", site=near), fleet.terminal(uid="FAR-1", site=far))
    foreign = fleet.group("Foreign", fleet.terminal(uid="FAR-2", site=far))
    browser = people.signed_in(in_region("Kanto"))

    listed = page(browser, "/groups/").html
    shown = page(browser, f"/groups/{mixed.pk}/").html

    assert "Mixed" in listed
    assert "Foreign" not in listed
    assert "NEAR-1" in shown
    assert "FAR-1" not in shown
    assert "and 1 outside of what you see" in " ".join(shown.split())
    assert browser.get(f"/groups/{foreign.pk}/").status_code == 404


def test_a_smaller_scope_neither_makes_nor_changes_groups(fleet):
    group = fleet.group("Mixed", fleet.terminal(uid="NEAR-1", site=fleet.site("SJK", region="Kanto")))
    browser = people.signed_in(in_region("Kanto"))

    answers = [
        browser.post("/groups/new/", {"name": "Mine"}),
        browser.post(f"/groups/{group.pk}/", {"name": "Mine"}),
        browser.post(f"/groups/{group.pk}/members/", {"terminals": "NEAR-1"}),
        browser.post(f"/groups/{group.pk}/members/remove/", {"terminal": "1"}),
        browser.post(f"/groups/{group.pk}/delete/"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert Group.objects.get().name == "Mixed"


def test_the_page_draws_its_members_over_30_days_and_links_to_their_list(lead, fleet):
    group, one, other = fleet.group("Lobby"), fleet.terminal(uid="T-1"), fleet.terminal(uid="T-2")
    for chosen, terminal, days in ((group, one, 40), (group, other, 10), (fleet.group("Else"), other, 5)):
        services.set_members(chosen, add=[terminal.pk], by=None, at=now(-days * 86_400))

    seen = page(lead, f"/groups/{group.pk}/")

    assert seen.text("members-change") == "1 → 2"
    listed = page(lead, "/terminals/?q=group:Lobby")
    assert "/terminals/?q=group:Lobby" in seen.links()
    assert "T-1" in listed.html


def test_members_of_another_scope_are_not_in_the_chart(fleet):
    near, far = fleet.site("SJK", region="Kanto"), fleet.site("UMD", region="Kansai")
    group = fleet.group("Lobby")
    members = [fleet.terminal(site=near).pk, fleet.terminal(site=far).pk]
    services.set_members(group, add=members, by=None, at=now(-86_400))
    person = people.person("regional", of=None)
    people.grant(person, "Lead", region="Kanto")

    assert page(people.signed_in(person), f"/groups/{group.pk}/").text("members-change") == "0 → 1"


def test_each_use_says_what_a_change_of_members_does(lead, fleet):
    group = fleet.group("Lobby")
    fleet.presence_rule(group=group)

    assert "New members can open alerts" in page(lead, f"/groups/{group.pk}/").html


# Dynamic groups


def test_a_query_is_previewed_and_saved(lead, fleet):
    fleet.terminal(uid="K-1", kind="kiosk")
    group = fleet.group("Kiosks", fleet.terminal(uid="G-1", kind="gate"))

    preview = lead.get(f"/groups/query/?group={group.pk}&query=kind:kiosk").text
    mistaken = lead.get("/groups/query/", {"query": "kind:kisok"}).text
    saved = lead.post(f"/groups/{group.pk}/", {"name": "Kiosks", "query": "kind:kiosk"})
    page = lead.get(f"/groups/{group.pk}/").text

    assert ("1 joins:" in preview, "K-1" in preview, "1 leaves:" in preview) == (True, True, True)
    assert "Did you mean kiosk?" in mistaken
    assert (saved.status_code, list(group.terminals.values_list("uid", flat=True))) == (302, ["K-1"])
    assert "The query selects the members." in page
    assert "add-to-group" not in page


def test_a_query_that_cannot_be_one_is_refused_with_the_form(lead, fleet):
    scope = fleet.group("Scope")
    people.grant(people.person("viewer", of=None), "Viewer", group=scope)

    by_time = lead.post("/groups/new/", {"name": "Late", "query": "seen>10m"})
    of_grant = lead.post(f"/groups/{scope.pk}/", {"name": "Scope", "query": "kind:kiosk"})

    assert (by_time.status_code, of_grant.status_code) == (422, 422)
    assert "its result changes as time passes" in by_time.text
    assert "People hold grants for this group" in of_grant.text


def test_a_changed_query_is_previewed_with_everything_that_it_reaches(lead, fleet):
    kiosk, gate = fleet.terminal(uid="K-1", kind="kiosk"), fleet.terminal(uid="G-1", kind="gate")
    fleet.terminal(uid="G-2", kind="gate")
    group = fleet.group("Kiosks")
    dynamic.set_query(group, "kind:kiosk", by=None, at=now())
    fleet.metric_rule(group=group, name="Too hot")

    shown = page(lead, f"/groups/query/?group={group.pk}&query=uid:{gate.uid}").html
    text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())

    assert "1 terminal at 1 site" in text
    assert f"1 leaves: {kiosk.uid} 1 joins: {gate.uid}" in text
    assert "Saving changes these: +1 −1 1 rule Too hot" in text
    assert "Terminals join when they do" in page(lead, f"/groups/query/?group={group.pk}&query=uid:none").html


def test_dynamic_groups_are_listed_apart(lead, fleet):
    dynamic.set_query(fleet.group("Kiosks"), "kind:kiosk", by=None, at=now())
    fleet.group("Lobby")

    shown = " ".join(HtmlPage(lead.get("/groups/")).text("main").split())

    assert "Dynamic follow a query Kiosks kind:kiosk 0 terminals Static chosen by people Lobby 0 terminals" in shown


def test_jobs_whose_queries_name_the_group_use_it(fleet, lead):
    group, other = fleet.group("Night lanes", fleet.terminal()), fleet.group("Other")
    fleet.group("x")
    planner = people.person("planner", of="Manager")
    for name, query in (("Reboot", 'kind:kiosk group:"night lanes"'), ("Ping", "group:N*"), ("Else", "group:x")):
        values = JobValues(name, "ping", Occurrence(now(60), now(3_600)), query=query)
        create_job(values, by=planner, at=now())

    [use] = uses_of(group, to=planner)

    assert (use.number, set(use.names)) == (2, {"Reboot", "Ping"})
    assert uses_of(other, to=planner) == []
    assert "2 jobs" in page(lead, f"/groups/{group.pk}/").html
    elsewhere = people.grant(people.person("viewer", of=None), "Viewer", site=fleet.site("OSK")).person
    assert uses_of(group, to=elsewhere)[0].names == []


def test_shared_views_whose_queries_name_the_group_use_it(fleet, lead):
    group, planner = fleet.group("Night lanes"), people.person("planner", of="Manager")
    for name, is_shared in (("Tonight", True), ("Mine", False)):
        SavedView.objects.create(by=planner, name=name, query='group:"night lanes"', is_shared=is_shared)

    assert [(use.kind, use.names) for use in uses_of(group, to=planner)] == [("view", ["Tonight"])]
