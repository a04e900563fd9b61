import re
from datetime import timedelta
from html import unescape
from itertools import chain
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support import factories
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts.scope import EVERYTHING
from tms.boards.list_filters.filters import TerminalFilter
from tms.boards.list_filters.terminal_orders import SORT_KEYS, ordered
from tms.boards.pages import RenderContext, TerminalsPage
from tms.feed.change import Change
from tms.fleet.models import Terminal, TerminalState
from tms.lib.pagination import Keyset
from tms.lib.sort_order import SortOrder

pytestmark = pytest.mark.both


@pytest.fixture
def mixed(fleet, tanaka):
    """One terminal for each filter value."""
    umeda = fleet.site("UMD", name="Umeda", name_ja="梅田")
    fleet.online(uid="GTE-1", kind="gate", label="Gate 1, south", serial="SN-0042")
    fleet.with_presence("offline", uid="GTE-2", kind="gate", cause="connection_lost")
    fleet.with_presence("silent", uid="PAY-1", kind="payment", site=umeda, due_at=now(30))
    fleet.online(uid="PAY-2", kind="payment", site=umeda, status="fault", model="PX-300", address="10.24.6.33")
    factories.alert(fleet, severity="critical", terminal=Terminal.objects.get(uid="GTE-2"))
    factories.alert(fleet, severity="warning", terminal=Terminal.objects.get(uid="PAY-2"))


def uids(seen):
    return [seen.text(element).split(" ", 1)[0] for element in seen.rows("terminal-")]


def test_the_list_is_limited_to_a_group(page, mixed, fleet):
    group = fleet.group("Lobby")
    group.terminals.set(Terminal.objects.filter(uid__in=("GTE-1", "PAY-1")))

    assert uids(page(f"/terminals/?group={group.pk}")) == ["GTE-1", "PAY-1"]
    assert uids(page(f"/terminals/?group={group.pk}&presence=silent")) == ["PAY-1"]
    assert uids(page("/terminals/?group=999999")) == []


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["GTE-1", "GTE-2", "PAY-1", "PAY-2"]),
        ("presence=offline", ["GTE-2"]),
        ("presence=offline&presence=silent", ["GTE-2", "PAY-1"]),
        ("site=UMD", ["PAY-1", "PAY-2"]),
        ("site=umd&presence=online", ["PAY-2"]),
        ("kind=gate", ["GTE-1", "GTE-2"]),
        ("q=kind:gate -presence:offline", ["GTE-1"]),
        ("q=site:梅田 (status:fault or presence:silent)&kind=payment", ["PAY-1", "PAY-2"]),
        ("q=state:planned,retired", []),
        ("q=kind:", []),
        ("status=fault", ["PAY-2"]),
        ("severity=any", ["GTE-2", "PAY-2"]),
        ("severity=warning", ["PAY-2"]),
        ("q=gte", ["GTE-1", "GTE-2"]),
        ("q=south", ["GTE-1"]),
        ("q=0042", ["GTE-1"]),
        ("q=px-3", ["PAY-2"]),
        ("q=umeda", ["PAY-1", "PAY-2"]),
        ("q=梅田", ["PAY-1", "PAY-2"]),
        ("q=10.24", ["PAY-2"]),
        ("q=umeda&presence=silent", ["PAY-1"]),
        ("q=nothing+like+it", []),
        ("q=g", ["GTE-1", "GTE-2", "PAY-1", "PAY-2"]),
        ("presence=nonsense&kind=nonsense&severity=nonsense", ["GTE-1", "GTE-2", "PAY-1", "PAY-2"]),
    ],
)
def test_the_filter_in_the_url_applies(page, mixed, query, found):
    seen = page(f"/terminals/?{query}")

    assert uids(seen) == found


def test_a_row_shows_presence_reason_status_and_alert(page, fleet):
    terminal = fleet.with_presence("silent", status="degraded", due_at=now(45), label="Kiosk 3", last_seen_at=now(-5))
    factories.alert(fleet, severity="warning", terminal=terminal)

    seen = page("/terminals/")

    text = seen.text(f"terminal-{terminal.pk}")
    assert "Silent offline in 00:4" in text
    assert "Degraded" in text
    assert "Warning" in text
    assert "Kiosk 3" in text


def test_the_reading_of_an_active_alert_is_marked(browser, fleet):
    terminal = fleet.online(metrics={"temperature_c": 81.2, "cpu_pct": 3.0})
    factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule("temperature_c", severity="warning"))

    html = browser.get("/terminals/").content.decode()

    assert 'data-over="warning">81 °C</td>' in html
    assert html.count("data-over") == 1


def test_the_tab_counts_terminals_not_alerts(page, fleet):
    terminal = fleet.online()
    for _ in range(2):
        factories.alert(fleet, terminal=terminal)
    factories.alert(fleet)

    seen = page("/terminals/")

    assert seen.text("count-alerts") == "2"
    assert seen.text("count-all") == "2"


def test_an_empty_result_shows_the_number_outside_the_filter(page, mixed):
    seen = page("/terminals/?presence=closed")

    assert seen.text("empty").startswith("No matching terminals 4 terminals do not match the filter.")
    assert "/terminals/" in seen.links()


def test_an_empty_fleet_shows_how_to_start(page, fleet):
    seen = page("/terminals/")

    assert "Enrol a terminal" in seen.text("empty")
    assert "/enrol/" in seen.links()


def test_the_list_is_paginated_in_both_directions(page, fleet):
    made = [terminal.uid for terminal in fleet.terminals(230, presence="online")]

    forth, addresses = [], []
    address = "/terminals/?presence=online"
    while address:
        seen = page(address)
        addresses.append(address)
        forth.append(uids(seen))
        address = next((link for link in seen.links() if "after=" in link), "")
    back = [forth[-1]]
    while previous := next((link for link in seen.links() if "before=" in link), ""):
        seen = page(previous)
        back.append(uids(seen))

    assert [len(part) for part in forth] == [100, 100, 30]
    assert list(chain.from_iterable(forth)) == made
    # Fewer than a page before it: the complete first page.
    assert back == [forth[2], forth[1], forth[0]]
    assert all("q=presence:online" in address for address in addresses[1:])


@pytest.mark.embedded
def test_numbers_sort_by_value(page, fleet):
    names = ["ABC-1", "KSK-2", "KSK-9", "KSK-10", "KSK-010", "KSK-100", "ksk-9b"]
    for uid in names:
        fleet.terminal(uid=uid)

    seen = page("/terminals/")
    after = page("/terminals/?after=KSK-9")

    assert uids(seen) == ["ABC-1", "KSK-2", "KSK-9", "ksk-9b", "KSK-010", "KSK-10", "KSK-100"]
    assert uids(after) == ["ksk-9b", "KSK-010", "KSK-10", "KSK-100"]


@pytest.fixture
def varied(fleet, tanaka) -> None:
    """Three terminals that differ in every column of the list."""
    first, second, third = (
        fleet.site("ZZZ", name="Akita"),
        fleet.site("AAA", name="Gate 9"),
        fleet.site("MMM", name="Gate 10"),
    )
    fleet.online(uid="K-9", site=second, model="KX-9", firmware="4.10", label="Hall 2", status="fault", **seen(50, 1.0))
    fleet.with_presence(
        "offline", uid="K-10", site=first, model="KX-10", firmware="4.9", label="Hall 10", **seen(10, None)
    )
    fleet.with_presence(
        "silent", uid="K-100", site=third, model="G~2%", firmware="", label="", status="ok", **seen(30, 9.5)
    )
    factories.alert(fleet, severity="warning", terminal=Terminal.objects.get(uid="K-9"))
    factories.alert(fleet, severity="critical", terminal=Terminal.objects.get(uid="K-100"))


def seen(seconds: float, cpu: float | None) -> dict[str, Any]:
    return {"last_seen_at": now(-seconds), "metrics": {} if cpu is None else {"cpu_pct": cpu}}


ORDERS = [
    ("uid", "K-9 K-10 K-100"),
    ("-uid", "K-100 K-10 K-9"),
    ("-presence", "K-10 K-100 K-9"),
    ("presence", "K-9 K-100 K-10"),
    ("-status", "K-9 K-100 K-10"),
    ("-severity", "K-100 K-9 K-10"),
    ("site", "K-10 K-9 K-100"),
    ("label", "K-100 K-9 K-10"),
    ("model", "K-100 K-9 K-10"),
    ("-model", "K-10 K-9 K-100"),
    ("firmware", "K-100 K-10 K-9"),
    ("seen", "K-9 K-100 K-10"),
    ("cpu_pct", "K-9 K-100 K-10"),
    ("-cpu_pct", "K-100 K-9 K-10"),
]


@pytest.mark.embedded
@pytest.mark.parametrize(("order", "found"), ORDERS)
def test_a_header_sorts_the_list_and_its_pages(page, varied, monkeypatch, order, found):
    seen = page(f"/terminals/?order={order}&q=K-")
    monkeypatch.setattr("tms.lib.pagination.Keyset.window", one_row_a_page(Keyset.window))
    forth = walked(page, page(f"/terminals/?order={order}", **HTMX_HEADERS), "after=")
    back = walked(page, forth[-1], "before=")

    assert uids(seen) == found.split()
    assert [uid for one in forth for uid in uids(one)] == found.split()
    assert [uid for one in back for uid in uids(one)] == found.split()[::-1]


def one_row_a_page(window):
    return lambda *given, **named: window(*given, **named | {"size": 1})


def walked(page, first: HtmlPage, by: str) -> list[HtmlPage]:
    """The pages from this one on."""
    found = [first]
    while address := next((link for link in found[-1].links() if by in link), ""):
        found.append(page(address, **HTMX_HEADERS))
    return found


@pytest.mark.parametrize(
    ("order", "column", "sort", "link"),
    [
        ("", "Terminal", "ascending", "/terminals/?q=kind:kiosk&order=-uid"),
        ("-uid", "Terminal", "descending", "/terminals/?q=kind:kiosk"),
        ("model", "Model", "ascending", "/terminals/?q=kind:kiosk&order=-model"),
        ("-severity", "Alert", "descending", "/terminals/?q=kind:kiosk&order=severity"),
        ("nonsense", "Terminal", "ascending", "/terminals/?q=kind:kiosk&order=-uid"),
    ],
)
def test_the_header_of_the_order_says_its_direction_and_reverses_it(page, fleet, order, column, sort, link):
    fleet.online()

    seen = page(f"/terminals/?q=kind:kiosk&order={order}")

    marked = re.findall(r'aria-sort="(\w+)"><a class="sort" href="([^"]+)">(\w+)<', seen.html)
    assert [(found, unescape(address), name) for found, address, name in marked] == [(sort, link, column)]


def test_a_filter_preserves_the_order(page, browser, varied):
    answer = browser.get("/terminals/?q=K-&order=-seen", headers=HTMX_HEADERS)

    assert answer["HX-Replace-Url"] == "/terminals/?q=K-&order=-seen"
    assert '<input type="hidden" name="order" value="-seen" form="filters">' in answer.content.decode()


def test_rows_of_a_sorted_list_move_every_15_seconds_and_change_at_once(fleet):
    first, second = fleet.online(uid="T-1"), fleet.online(uid="T-2")
    shown, at = TerminalsPage(EVERYTHING, TerminalFilter(), order=SortOrder("presence", is_descending=True)), now()
    before = shown.page_state(RenderContext(at, EVERYTHING))
    TerminalState.objects.filter(pk=second.pk).update(presence="offline")
    change = Change(terminals=frozenset({second.pk}), presence=frozenset({second.pk}))

    soon = shown.page_state(RenderContext(at + timedelta(seconds=14), EVERYTHING), change, before)
    later = shown.page_state(RenderContext(at + timedelta(seconds=15), EVERYTHING), Change(), soon)

    elements = (f"terminal-{first.pk}", f"terminal-{second.pk}")
    assert soon.lists["terminals"] == elements
    assert soon.parts[elements[1]].values["terminal"].link.presence == "offline"
    assert later.lists["terminals"] == elements[::-1]


@pytest.mark.embedded
@pytest.mark.parametrize(
    "mark", ["9" * 40, "nan", "1e400", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "%7E~x"]
)
def test_any_cursor_of_any_order_shows_a_page(fleet, mark):
    terminal = fleet.online()

    for name in SORT_KEYS:
        rows, order = ordered(Terminal.objects.all(), SortOrder(name, is_descending=False), number=1)
        assert {*order.window(rows, after=f"{mark}~T-1").pks} <= {terminal.pk}


@pytest.mark.embedded
@pytest.mark.parametrize("cursor", ["after=zzz", "before=0", "after=zzz&before=0"])
def test_a_cursor_beyond_the_ends_shows_a_page(page, fleet, cursor):
    fleet.terminals(3)

    seen = page(f"/terminals/?{cursor}")

    assert len(uids(seen)) == 3 or "/terminals/" in seen.links()


def test_the_number_of_matching_terminals_is_shown(page, fleet):
    fleet.terminals(120, presence="online")
    fleet.with_presence("offline")

    assert page("/terminals/").text("foot").startswith("100 of 121 terminals")
    assert page("/terminals/?presence=online").text("foot").startswith("100 of 120 terminals")
    assert page("/terminals/?presence=offline").text("foot").startswith("1 of 1 terminal")
    assert page("/terminals/?q=kind:kiosk").text("foot").startswith("100 of 121 terminals")
    assert page("/terminals/?q=T-").text("foot").startswith("100 of 121 terminals")


def test_live_search_gets_only_the_results_and_the_canonical_url(browser, mixed):
    answer = browser.get("/terminals/?q=umeda&site=&kind=&presence=silent", headers=HTMX_HEADERS)

    html = answer.content.decode()
    assert html.strip().startswith('<div class="results" id="results">')
    assert "PAY-1" in html
    assert answer["HX-Replace-Url"] == "/terminals/?q=presence:silent+umeda"


def test_a_query_that_is_none_leaves_the_list_and_says_what_would_be_right(browser, mixed):
    typed = browser.get("/terminals/", {"q": "firmwear<4.8"}, headers=HTMX_HEADERS)
    opened = browser.get("/terminals/", {"q": "firmwear<4.8"}).text

    assert (typed["HX-Retarget"], "results" in typed.text) == ("#query-problem", False)
    for html in (typed.text, opened):
        assert "There is no field “firmwear”. (column 1) Did you mean firmware?" in unescape(html)
        assert 'data-corrected="firmware&lt;4.8"' in html


def test_a_query_is_completed_with_values_that_the_person_sees(browser, mixed):
    options = browser.get("/suggestions/queries/", {"q": "kind:ga umeda", "cursor": "7"}).text

    assert 'data-text="gate"' in options
    assert ('data-start="5"' in options, 'data-end="7"' in options) == (True, True)
    assert browser.get("/suggestions/queries/", {"q": "kind:ga(", "cursor": "-1"}).status_code == 200


def test_rows_that_time_moves_are_listed_again_every_15_seconds(fleet):
    fleet.online(uid="A", last_seen_at=now(-595))
    page = TerminalsPage(EVERYTHING, TerminalFilter(q="seen>10m"))
    before = page.page_state(RenderContext(now(), EVERYTHING))
    nothing = Change(terminals=frozenset({-1}))

    early = page.page_state(RenderContext(now(1), EVERYTHING), nothing, before)
    TerminalState.objects.update(last_seen_at=now(-700))
    later = page.page_state(RenderContext(now(16), EVERYTHING), nothing, early)

    assert [len(state.lists["terminals"]) for state in (before, early, later)] == [0, 0, 1]


@pytest.mark.parametrize("address", ["/", "/terminals/", "/terminals/?severity=any", "/terminals/?q=T-", "/alerts/"])
def test_the_number_of_queries_does_not_depend_on_the_number_of_terminals(browser, fleet, address):
    rule = fleet.metric_rule()
    for _ in range(2):
        factories.moved(factories.alert(fleet, rule=rule).terminal, "silent", "online", at=now())
    browser.get(address)  # fills what a process reads once
    with CaptureQueriesContext(connection) as few:
        browser.get(address)
    for code in ("UMD", "SPR", "NGY"):
        terminals = fleet.terminals_online(12, site=fleet.site(code))
        factories.alerts(rule, terminals, [now()] * 12)
        for terminal in terminals:
            factories.moved(terminal, "silent", "online", at=now())

    with CaptureQueriesContext(connection) as many:
        browser.get(address)

    assert len(many) == len(few)


def test_a_time_of_another_day_is_shown_with_its_date(page, fleet, tanaka):
    fleet.with_presence("rebooting", back_at=now() + timedelta(days=3))

    seen = page("/terminals/")

    (row,) = seen.rows("terminal-")
    day = (now() + timedelta(days=3)).astimezone().strftime("%b")
    assert day in seen.text(row)
