"""The list of terminals is a query: old links become one, and choices beside the field change it."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict

from tests.support import people
from tms.boards.list_filters.filters import TerminalFilter
from tms.feed.change import Change

pytestmark = [pytest.mark.both, pytest.mark.embedded]


@pytest.mark.parametrize(
    ("old", "query"),
    [
        ("", ""),
        ("site=&kind=&presence=", ""),
        ("site=UMD", "site:UMD"),
        ("kind=gate&presence=offline&presence=silent", "kind:gate presence:offline,silent"),
        ("status=fault&severity=any", "status:fault alert:any"),
        ("expected=closed&lost_with=node a", 'expected:closed lost_with:"node a"'),
        ("lifecycle=retired&q=umeda", "state:retired umeda"),
        ("presence=offline&q=a1 or b2", "presence:offline (a1 or b2)"),
        ("presence=nonsense&kind=nonsense&q=x", ""),
        ("group=12", "group:12"),
    ],
)
def test_an_old_link_says_the_same_as_a_query(old, query):
    assert TerminalFilter.of(QueryDict(old)).q == query


def test_an_old_link_names_only_groups_that_the_person_sees(fleet):
    inside, outside = fleet.group("East hall"), fleet.group("Secret")
    person = people.person("viewer", of=None)
    people.grant(person, "Viewer", group=inside)

    found = [TerminalFilter.of(QueryDict(f"group={group.pk}"), to=person).q for group in (inside, outside)]

    assert found == ['group:"East hall"', f"group:{outside.pk}"]


@pytest.mark.parametrize(
    ("query", "choice", "after"),
    [
        ("", "presence-offline", "presence:offline"),
        ("presence:offline", "presence-offline", ""),
        ("kind:kiosk presence:offline umeda", "presence-silent", "kind:kiosk umeda presence:offline,silent"),
        ("presence:offline,silent", "presence-offline", "presence:silent"),
        ("a1 or b2", "expected-maintenance", "(a1 or b2) expected:maintenance"),
        ("-presence:offline", "presence-offline", "-presence:offline presence:offline"),
    ],
)
def test_a_choice_adds_its_condition_or_removes_it(browser, fleet, query, choice, after):
    html = browser.get("/terminals/", {"q": query, "order": "-seen", "after": "x"}).text

    (link,) = re.findall(rf'id="choice-{choice}"\s+href="([^"]+)"', html)
    asked = parse_qs(urlsplit(unescape(link)).query)
    assert asked == {"order": ["-seen"]} | ({"q": [after]} if after else {})


def test_a_chosen_choice_is_marked(browser, fleet):
    html = browser.get("/terminals/", {"q": "presence:Offline kind:kiosk"}).text

    (marked,) = re.findall(r'id="choice-([\w-]+)"[^>]+aria-current="true"', html)
    assert marked == "presence-offline"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("presence:offline", "1 2"),
        ("kind:kiosk,gate presence:online", "1 2"),
        ("site:UMD", "0 1"),
        ("site:Umeda presence:online kind:kiosk", "0 1"),
        ("(presence:online or presence:offline)", "1 2"),
        ("presence:online or umeda", "0 2"),
        ("-presence:online", "1 0"),
        ("kind:nonsense", "0 0"),
    ],
)
def test_choices_count_with_all_other_conditions(page, fleet, query, numbers):
    fleet.online(site=fleet.site("UMD", name="Umeda"), kind="kiosk")
    fleet.online(kind="gate")
    fleet.with_presence("offline", kind="gate")

    seen = page(f"/terminals/?q={query}")

    assert f"{seen.text('count-offline')} {seen.text('count-online')}" == numbers


PRESENCE, STATUS, ALERTS, REPORTS = (
    Change(terminals=frozenset({1}), presence=frozenset({1})),
    Change(terminals=frozenset({1}), status=frozenset({1})),
    Change(alerts=frozenset({1})),
    Change(terminals=frozenset({1})),
)


@pytest.mark.parametrize(
    ("query", "moves", "by_time"),
    [
        ("", [], False),
        ("kind:kiosk umeda", [], False),
        ("-presence:online", [PRESENCE], False),
        ("lost_with:a", [PRESENCE], False),
        ("status:fault or kind:gate", [STATUS], False),
        ("alert:any", [ALERTS], False),
        ("expected:closed open:no", [], False),
        ("metric.cpu_pct>5", [], True),
        ("seen>10m presence:online", [PRESENCE], True),
    ],
)
def test_a_list_is_read_again_for_what_moves_its_rows(query, moves, by_time):
    chosen = TerminalFilter(query)

    assert [one for one in (PRESENCE, STATUS, ALERTS, REPORTS) if chosen.is_moved_by(one)] == moves
    assert (chosen.is_moved_by_time, chosen.is_moved_by(Change(everything=True))) == (by_time, True)


def test_what_is_typed_is_counted_within_the_scope(fleet, client, monkeypatch):
    near, far = fleet.site("UMD"), fleet.site("FAR")
    for site, number in ((near, 3), (far, 4)):
        fleet.terminals(number, site=site, kind="kiosk")
    people.grant(person := people.person("viewer", of=None), "Viewer", site=near)
    people.grant(everywhere := people.person("lead", of=None), "Lead")
    monkeypatch.setattr("tms.boards.suggestions.MAX_COUNTED", 5)

    found = {}
    for each in (person, everywhere):
        client.force_login(each)
        for query in ("kind:kiosk", "kind:", ""):
            answer = client.get("/suggestions/queries/", {"q": query, "count": "1"}).text
            found[each.username, query] = re.sub(
                r"<[^>]+>|\s+", "", "".join(re.findall("<output>.*</output>", answer, re.DOTALL))
            )

    assert found == {
        ("viewer", "kind:kiosk"): "3match",
        ("lead", "kind:kiosk"): "5+match",
        **{(name, query): "" for name in ("viewer", "lead") for query in ("kind:", "")},
    }
