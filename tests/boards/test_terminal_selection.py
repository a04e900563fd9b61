"""What the list of terminals offers for many: the bar of the selection, maintenance, and an empty list's conditions."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import people
from tests.support.pages import HtmlPage, values_of
from tms.boards.list_filters import terminal_selection
from tms.boards.list_filters.filters import TerminalFilter
from tms.boards.list_filters.left_out import MAX_CONDITIONS, left_out
from tms.boards.maintenance import views
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Terminal

pytestmark = pytest.mark.both


def test_each_row_is_selected_by_its_uid_and_each_button_names_its_permission(page, fleet):
    fleet.online(uid="K-1")

    seen = page("/terminals/?q=K-&order=-model")

    boxes = [field for tag, field in seen.elements if tag == "input" and field.get("form") == "selection"]
    buttons = {field["formaction"]: field.get("data-needs") for _, field in seen.elements if "formaction" in field}
    assert [(box["name"], box["value"], box["aria-label"]) for box in boxes] == [("terminal", "K-1", "Select K-1")]
    assert seen.attribute("selection", "data-filter") == "q=K-+state:in_service"
    assert seen.attribute("foot", "data-matching") == "1"
    assert buttons == {
        "/jobs/new/": "run_jobs",
        "/maintenance/new/": "plan_maintenance",
        "/terminals/edit/tag/": "manage_groups",
        "/terminals/edit/group/": "manage_groups",
        "/terminals/edit/state/": "manage_terminals",
        "/terminals/edit/move/": "manage_terminals",
    }


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"terminal": ["K-2", "K-1", "K-2", "nobody", ""]}, ["K-1", "K-2"]),
        ({"all": "1", "q": "kind:gate", "count": "1"}, ["G-1"]),
        ({"all": "1", "count": "3"}, ["G-1", "K-1", "K-2"]),
        ({"all": "1", "q": "kind:"}, []),
        ({"terminal": []}, []),
    ],
)
def test_maintenance_is_planned_for_what_is_selected(browser, fleet, method, sent, named):
    fleet.online(uid="K-1")
    fleet.online(uid="K-2")
    fleet.online(uid="G-1", kind="gate")

    answer = getattr(browser, method)("/maintenance/new/", sent | ({"prefill": "1"} if method == "post" else {}))

    assert answer.status_code == 200
    assert [uid for uid in values_of(HtmlPage(answer)).get("terminals", []) if uid] == named


def test_a_selection_has_only_terminals_for_which_the_person_may_plan(client, fleet):
    fleet.online(uid="K-1", site=fleet.site("WEST"))
    fleet.online(uid="K-2", site=fleet.site("EAST"))
    west = people.person("west", of=None)
    people.grant(west, "Operator", site=fleet.site("WEST"))
    people.grant(west, "Viewer", site=fleet.site("EAST"))
    client.force_login(west)

    for query in ("terminal=K-1&terminal=K-2", "all=1"):
        named = values_of(HtmlPage(client.get(f"/maintenance/new/?{query}"))).get("terminals", [])
        assert [uid for uid in named if uid] == ["K-1"]


def test_more_terminals_than_a_window_can_name_are_refused_with_the_way_out(page, fleet, monkeypatch):
    fleet.terminals(3)
    monkeypatch.setattr(views, "MAX_PICKED", 2)

    seen = page("/maintenance/new/?all=1")

    assert "More than 2 terminals are selected" in seen.html
    assert [uid for uid in values_of(seen).get("terminals", []) if uid] == []


def test_a_selection_has_at_most_as_many_as_can_be_picked(browser, fleet):
    fleet.terminals(3)
    uids = [*(f"N-{n}" for n in range(terminal_selection.MAX_PICKED)), "T-1"]

    answer = browser.post("/maintenance/new/", {"prefill": "1", "terminal": uids})

    assert [uid for uid in values_of(HtmlPage(answer)).get("terminals", []) if uid] == []


@pytest.fixture
def hidden(fleet) -> None:
    """Terminals of which none meets all conditions."""
    umeda, shinjuku = fleet.site("UMD"), fleet.site("SJK")
    fleet.online(uid="A-1", site=umeda, kind="gate", firmware="4.7")
    fleet.online(uid="A-2", site=umeda, kind="gate", firmware="4.8")
    fleet.online(uid="A-3", site=shinjuku, kind="kiosk", firmware="4.7")
    retired = fleet.online(uid="A-4", site=umeda, kind="kiosk", firmware="4.9")
    Terminal.objects.filter(pk=retired.pk).update(lifecycle="retired")
    change_tags(Terminal, [retired.pk], add=["old"])


def conditions(seen: HtmlPage) -> list[tuple[str, str, str]]:
    """The text of each condition, the number without it, and the query of its link."""
    if "leave-out" not in seen.html:
        return []
    part = seen.html[seen.html.index('<div class="leave-out">') :].split("</ul>")[0]
    found = []
    for link in part.split("<a ")[1:]:
        address = link.split('href="')[1].split('"')[0].replace("&amp;", "&")
        text = link.split("<s>")[1].split("</s>")[0].replace("<bdi>", "").replace("</bdi>", "")
        query = parse_qs(urlsplit(address).query)["q"][0]
        found.append((text.replace("&lt;", "<"), link.split("<b>")[1].split("<")[0], query))
    return found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (
            "site:UMD kind:kiosk firmware<4.8",
            [("kind:kiosk", "1", "site:UMD firmware<4.8"), ("site:UMD", "1", "kind:kiosk firmware<4.8")],
        ),
        (
            "kind:gate and -(site:UMD or site:SJK)",
            [("-(site:UMD or site:SJK)", "2", "kind:gate")],
        ),
        (
            "(kind:gate firmware<4.8) AND (site:SJK)",
            [("(kind:gate firmware<4.8)", "1", "(site:SJK)"), ("(site:SJK)", "1", "(kind:gate firmware<4.8)")],
        ),
        (
            "site:UMD uid:A-* - -kind:gate",
            [("site:UMD", "1", "uid:A-* - -kind:gate"), ("-kind:gate", "2", "site:UMD uid:A-* -")],
        ),
        ("kind:tablet", []),
        ("kind:tablet or kind:signage", []),
        ("(kind:tablet site:UMD)", []),
        ("kind:", []),
    ],
)
def test_an_empty_list_names_the_condition_that_hides_everything(page, hidden, query, found):
    seen = page("/terminals/?" + urlencode({"q": query}))

    assert seen.rows("terminal-") == []
    assert sorted(conditions(seen)) == sorted(found)


TOKENS = (
    "kind:gate",
    "uid:A-",
    "-",
    "--",
    "(",
    ")",
    "（",
    "）",
    "and",
    "or",
    " ",
    "\u3000",
    '"a and b"',
    "firmware<4",
    '""',
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join))
def test_the_conditions_of_any_query_can_be_left_out(text):
    chosen = TerminalFilter(q=text)

    if not chosen.problem:
        left_out(chosen, Terminal.objects.none())


def test_an_empty_list_says_that_others_match_which_are_not_in_service(page, hidden):
    seen = page("/terminals/?q=tag:old")

    assert "1 terminal that is not in service matches." in seen.html
    assert page("/terminals/?q=tag:old+state:retired").rows("terminal-")
    assert "not in service" not in page("/terminals/?q=tag:none+state:retired").html


def test_a_query_that_is_none_is_not_said_to_hide_terminals(page, hidden):
    assert page("/terminals/?q=kind:").text("empty").startswith("The query has a mistake")


def test_the_conditions_cost_a_bounded_number_of_queries(browser, hidden, django_assert_max_num_queries):
    query = " ".join(f"model:m{n}" for n in range(30))

    with django_assert_max_num_queries(40 + MAX_CONDITIONS):
        seen = HtmlPage(browser.get("/terminals/", {"q": query}))

    assert seen.rows("terminal-") == []
