"""Queries, labels, views, groups and jobs in the global search, and the actions on what a query selects."""

import re

import pytest
from django.test import Client

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tests.support.rest import ApiClient
from tms.accounts.access.grant_scopes import GrantScope
from tms.fleet.labels.attributes import save_attribute, set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, AttributeSubject, Site, Terminal
from tms.fleet.saved_views.services import ViewValues, create_view
from tms.jobs.services import JobValues, create_job
from tms.lib.calendar.recurrence import Occurrence

UID = re.compile(r"\w+-\d+")
pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.fixture
def lead(db):
    return people.person("lead", of="Manager")


@pytest.fixture
def fleet_of_two_sites(fleet, lead):
    """Four kiosks, a label of each kind, and a view, a group and a job that are called something with `zebra`."""
    for name in ("UMD", "OSK"):
        site = fleet.site(name)
        for n in (1, 2, 10):
            fleet.online(uid=f"{name}-{n}", kind="kiosk", site=site)
    fleet.online(uid="OSK-11", kind="gate", site=fleet.site("OSK"))
    rows = {terminal.uid: terminal.pk for terminal in Terminal.objects.all()}
    change_tags(Terminal, [rows["UMD-1"], rows["OSK-1"]], add=["lobby"])
    change_tags(Site, [fleet.site("UMD").pk], add=["station"])
    carrier = Attribute(name="carrier", label="Carrier", subject=AttributeSubject.TERMINAL)
    save_attribute(carrier)
    set_values(Terminal, [rows["OSK-2"]], {carrier: "Kumo Mobile"})
    fleet.group("Zebra lanes", *Terminal.objects.filter(uid__in=("UMD-1", "OSK-1", "OSK-2")))
    create_view(ViewValues("Zebra kiosks", "kind:kiosk", owner=GrantScope()), by=lead)
    at = now()
    create_job(JobValues("Zebra reboot", "ping", Occurrence(at, now(3600)), query="kind:kiosk"), by=lead, at=at)


@pytest.fixture
def of_umeda(fleet_of_two_sites):
    person = people.person("umeda", of=None)
    people.grant(person, "Lead", site=Site.objects.get(code="UMD"))
    return person


def search(person, text, **query):
    """The page of the results: groups → titles, and the page itself."""
    browser = Client()
    browser.force_login(person)
    answer = browser.get("/search/", {"q": text, **query}, headers=HTMX_HEADERS)
    assert answer.status_code == 200
    answer.content = re.sub(rb"</?mark>", b"", answer.content)
    seen = HtmlPage(answer)
    groups: dict[str, list[str]] = {}
    for element in seen.rows("found-"):
        name, _, number = element.removeprefix("found-").rpartition("-")
        if number.isdigit():
            groups.setdefault(name, []).append(seen.text(element))
    return groups, seen


def uids(groups):
    """UIDs of the terminals, without their presence and site."""
    return [UID.search(title)[0] for title in groups.get("terminals", [])]


@pytest.mark.parametrize(
    ("text", "matches", "first"),
    [
        ("kind:kiosk", "6 terminals match: open the list", ["OSK-1", "OSK-2", "OSK-10"]),
        ("kind：kiosk site:UMD", "3 terminals match: open the list", ["UMD-1", "UMD-2", "UMD-10"]),
        ("kind:gate", "1 terminal matches: open the list", ["OSK-11"]),
        ("tag:station uid:*-10", "1 terminal matches: open the list", ["UMD-10"]),
        ('attr.carrier:"Kumo Mobile"', "1 terminal matches: open the list", ["OSK-2"]),
        ("osk -kind:kiosk", "1 terminal matches: open the list", ["OSK-11"]),
        ("kind:tablet", "0 terminals match: open the list", []),
    ],
)
def test_a_query_lists_what_it_selects_before_everything_else(lead, fleet_of_two_sites, text, matches, first):
    groups, _seen = search(lead, text)

    assert next(iter(groups)) == "query"
    assert groups["query"][0].startswith(matches)
    assert uids(groups) == first


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lobby", ["OSK-1", "UMD-1"]),
        ("LOBBY", ["OSK-1", "UMD-1"]),
        ("lobby umd", ["UMD-1"]),
        ("station", ["UMD-1", "UMD-2", "UMD-10"]),
        ("Kumo Mobile", ["OSK-2"]),
        ("Kumo", []),
        ("lobb", []),
    ],
)
def test_a_label_finds_its_terminals(lead, fleet_of_two_sites, text, found):
    groups, _seen = search(lead, text)

    assert uids(groups) == found


def test_a_scope_limits_what_a_query_a_label_and_a_group_find(of_umeda):
    counted, _seen = search(of_umeda, "kind:kiosk")
    labelled, _seen = search(of_umeda, "lobby")
    grouped, _seen = search(of_umeda, "zebra")

    assert counted["query"][0].startswith("3 terminals match")
    assert uids(labelled) == ["UMD-1"]
    assert grouped["groups"] == ["Zebra lanes 1 terminal"]
    assert grouped["views"] == ["Zebra kiosks kind:kiosk"]


def test_jobs_are_found_by_those_who_see_them(lead, of_umeda):
    viewer = people.person("viewer", of="Viewer")

    found = [search(person, "zebra reboot")[0].get("jobs", []) for person in (lead, of_umeda, viewer)]

    assert [len(titles) for titles in found] == [1, 0, 0]
    assert found[0][0].startswith("Zebra reboot Active")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("knd:kiosk", "There is no field “knd”. (column 1) Did you mean kind?"),
        ("kind:kisk", "“kisk” is not one of its values."),
        ("kind:", "column"),
        ("nothing like it", ""),
    ],
)
def test_a_query_with_a_mistake_says_so_if_nothing_is_found(lead, fleet_of_two_sites, text, problem):
    groups, seen = search(lead, text)

    assert groups == {}
    assert problem in seen.text("found")
    assert ("column" in seen.text("found")) == bool(problem)


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        ("Manager", ["Send a command…", "Plan maintenance…", "Tag…", "Save as a view…"]),
        ("Operator", ["Plan maintenance…", "Save as a view…"]),
        ("Viewer", ["Save as a view…"]),
    ],
)
def test_the_actions_on_a_query_are_those_that_the_person_may_do(fleet_of_two_sites, role, titles):
    person = people.person("somebody", of=role)

    groups, seen = search(person, "", about="query:kind:kiosk")

    assert [title.partition("…")[0] + "…" for title in groups["actions"]] == titles
    assert all("6 terminals" in title for title in groups["actions"][:-1])
    assert "/views/new/?q=kind%3Akiosk" in seen.links()
    assert ("/jobs/new/?all=1&q=kind%3Akiosk+state%3Ain_service&count=6" in seen.links()) == (role == "Manager")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("> kind:kiosk", "Send a command…"),
        ("command kind:kiosk", "Send a command…"),
        ("tag kind:kiosk", "Tag…"),
        ("> umd", "Plan maintenance for Site UMD…"),
    ],
)
def test_an_action_is_named_with_its_impact(lead, fleet_of_two_sites, text, first):
    groups, _seen = search(lead, text)

    assert groups["actions"][0].startswith(first)


def test_actions_without_a_page_are_not_offered(lead, fleet_of_two_sites):
    _groups, seen = search(lead, "", about="query:kind:kiosk")

    browser = Client()
    browser.force_login(lead)
    assert {link: browser.get(link).status_code for link in seen.links() if browser.get(link).status_code != 200} == {}


@pytest.mark.parametrize("about", ["query:", "query:umd", "query:knd:x", "query:" + "(" * 500, "view:1"])
def test_what_is_no_query_has_no_actions(lead, fleet_of_two_sites, about):
    groups, _seen = search(lead, "", about=about)

    assert "Save as a view…" not in " ".join(groups["actions"])


@pytest.mark.parametrize(
    ("text", "completions"),
    [
        ("ki", []),
        ("kind:k", ["kiosk"]),
        ("kind:kiosk", []),
        ("kind:kiosk ", []),
        ("kind:kiosk mod", ["model:"]),
        ("site:U", ["UMD"]),
    ],
)
def test_a_query_is_completed_once_it_has_a_condition(lead, fleet_of_two_sites, text, completions):
    browser = Client()
    browser.force_login(lead)

    seen = HtmlPage(browser.get("/search/completions/", {"q": text, "cursor": len(text)}))

    assert [of["data-text"] for tag, of in seen.elements if of.get("role") == "option"] == completions


def test_integrators_search_by_query(of_umeda):
    found = ApiClient.of(of_umeda).get("/search", {"q": "kind:kiosk", "limit": 2}).json()["groups"]

    assert [(group["name"], group["total"], [hit["name"] for hit in group["hits"]]) for group in found] == [
        ("terminals", 3, ["UMD-1", "UMD-2"])
    ]
