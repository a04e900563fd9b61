"""The list of incidents: what it shows, filters and exports, and actions on several of them."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from tests.support import factories, people
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage, streamed
from tms.accounts.models import User
from tms.accounts.scope import EVERYTHING
from tms.alerts import correlation
from tms.alerts.models import Alert, Incident
from tms.boards.list_filters.incident_filter import IncidentFilter
from tms.boards.live.live_page import LivePage
from tms.boards.pages import IncidentsPage
from tms.boards.pages.render_context import RenderContext
from tms.feed.change import Change

pytestmark = pytest.mark.both


def past(number: int = 1, *, opened_at: datetime | None = None, key: str = "4.8", **fields) -> Incident:
    """A resolved incident without alerts."""
    at = opened_at or now(-3_600)
    return Incident.objects.create(
        **{
            "factor": "firmware",
            "key": key,
            "severity": "warning",
            "state": "resolved",
            "size": 9,
            "lost": number,
            "opened_at": at,
            "unchanged_since": at,
            "resolved_at": at + timedelta(minutes=20),
            **fields,
        }
    )


@pytest.fixture
def open_one(fleet) -> Incident:
    return factories.incident(fleet)


def shown(seen: HtmlPage) -> list[str]:
    return [element for element in seen.ids if element.startswith(("incident-", "group-"))]


def test_open_incidents_come_before_past_ones_grouped_by_day(page, open_one):
    today, long_ago = past(), past(opened_at=datetime(2026, 3, 2, 3, tzinfo=UTC))

    seen = page("/incidents/")

    group = f"group-{today.opened_at.astimezone().date()}"
    assert shown(seen)[:2] == ["group-open", f"incident-{open_one.pk}"]
    assert shown(seen)[-2:] == ["group-2026-03-02", f"incident-{long_ago.pk}"]
    assert "1 incident (5 terminals), 1 unacknowledged" in seen.text("group-open")
    assert "1 resolved, 1 without acknowledgement" in seen.text(shown(seen)[2]), group
    assert "Firmware 4.8: 1 of 9 terminals offline" in seen.text(f"incident-{long_ago.pk}")


def test_days_and_months_are_those_of_the_reader(db, client, settings):
    """When it opened on 1 March in Tokyo, it was 28 February in New York."""
    settings.TIME_ZONE = "Asia/Tokyo"
    reader = people.person("tanaka", of="Operator")
    opened = past(opened_at=datetime(2026, 2, 28, 16, tzinfo=UTC))
    client.force_login(reader)

    def seen(zone: str, month: str) -> HtmlPage:
        User.objects.filter(pk=reader.pk).update(time_zone=zone)
        return HtmlPage(client.get(f"/incidents/?month={month}"))

    tokyo, york, other = seen("", "2026-03"), seen("America/New_York", "2026-02"), seen("America/New_York", "2026-03")

    assert shown(tokyo) == ["group-2026-03-01", f"incident-{opened.pk}"]
    assert shown(york) == ["group-2026-02-28", f"incident-{opened.pk}"]
    assert shown(other) == []
    assert "Incidents in March 2026" in tokyo.html
    assert "Incidents in February 2026" in york.html


def test_people_share_a_board_if_its_days_are_the_same(db):
    tanaka, mori, sato = (people.person(name, of="Operator") for name in ("tanaka", "mori", "sato"))
    mori.time_zone = "America/New_York"

    keys = [LivePage(IncidentsPage.open(QueryDict(), person=one), "en").key for one in (tanaka, mori, sato)]

    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("state=open", False),
        ("state=past", True),
        ("severity=warning", True),
        ("severity=critical", False),
        ("wide=1", True),
        ("factor=firmware", True),
        ("factor=site", False),
        ("site=SJK", False),
        ("month=2026-03", True),
        ("month=2026-04", False),
        ("month=2026-13", True),
        ("who=tanaka", False),
        ("q=4.8", True),
        ("q=9.9", False),
        ("q={pk}", True),
        ("q=switch", True),
    ],
)
def test_a_filter_is_part_of_the_address(page, query, is_found):
    found = past(opened_at=datetime(2026, 3, 2, 3, tzinfo=UTC))
    found.transitions.create(kind="commented", at=found.opened_at, comment="Switch replaced", open_count=0)

    seen = page("/incidents/?" + query.format(pk=found.pk))

    assert (f"incident-{found.pk}" in seen.ids) is is_found
    assert seen.text("count-all") == str(int(is_found or query.startswith(("state=open", "who="))))


def test_the_number_of_a_choice_respects_the_others(page, open_one):
    past()
    past(opened_at=datetime(2026, 3, 2, 3, tzinfo=UTC))

    critical, march = page("/incidents/?severity=critical"), page("/incidents/?month=2026-03")
    names = ("count-critical", "count-warning", "count-wide", "count-all")

    assert [critical.text(name) for name in names] == ["1", "2", "0", "1"]
    assert [march.text(name) for name in names] == ["0", "1", "1", "1"]


def test_older_incidents_are_on_the_next_page(page):
    for number in range(51):
        past(opened_at=now(-60 * number), key=str(number))

    first = page("/incidents/?state=past")
    [following] = [link for link in first.links() if "after=" in link]
    second = page(following)

    assert len(first.rows("incident-")) == 50
    assert len(second.rows("incident-")) == 1
    assert any("before=" in link or link == "/incidents/?state=past" for link in second.links())


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("-opened", "group-open open group-2026-03-03 long group-2026-03-02 large short"),
        ("opened", "group-open open group-2026-03-02 short large group-2026-03-03 long"),
        ("-terminals", "group-open open group-past large long short"),
        ("terminals", "group-open open group-past short long large"),
        ("-lasted", "group-open open group-past long large short"),
    ],
)
def test_a_header_sorts_past_incidents_below_open_ones(page, open_one, order, found):
    at = datetime(2026, 3, 2, 3, tzinfo=UTC)
    made = {
        "open": open_one,
        "short": past(1, opened_at=at, key="a", resolved_at=at + timedelta(minutes=5)),
        "large": past(30, opened_at=at + timedelta(hours=1), key="b"),
        "long": past(4, opened_at=at + timedelta(days=1), key="c", resolved_at=at + timedelta(days=3)),
    }

    seen = page(f"/incidents/?order={order}")

    names = {f"incident-{incident.pk}": name for name, incident in made.items()}
    assert [names.get(element, element) for element in shown(seen)] == found.split()
    assert seen.html.count("aria-sort") == 1


@pytest.mark.parametrize("order", ["-lasted", "terminals", "opened"])
def test_a_sorted_list_has_pages(page, order):
    for number in range(51):
        past(number % 7, opened_at=now(-3_600 * number), key=str(number))

    first = page(f"/incidents/?state=past&order={order}")
    [following] = [link for link in first.links() if "after=" in link]
    second = page(following)

    assert f"order={order}" in following
    assert len({*first.rows("incident-"), *second.rows("incident-")}) == 51


@pytest.mark.parametrize("cursor", ["999999999 days, 0:00:00~1", "x~1", "1~2~3", "%7E"])
def test_a_cursor_that_is_none_shows_the_first_page(page, cursor):
    past()

    assert len(page(f"/incidents/?state=past&order=-lasted&{urlencode({'after': cursor})}").rows("incident-")) <= 1


def test_an_empty_list_says_what_lies_outside_of_the_filter(page):
    past()

    assert "1 incident does not match the filter." in page("/incidents/?q=nothing").text("empty")


def test_the_figures_are_those_of_the_month(page, open_one, tanaka):
    correlation.acknowledge(open_one, by=tanaka, comment="", at=open_one.opened_at + timedelta(seconds=108))
    past(7, opened_at=datetime(2026, 3, 2, 3, tzinfo=UTC))

    march = " ".join(page("/incidents/?month=2026-03").html.split())
    current = " ".join(page("/incidents/").html.split())

    assert "Incidents in March 2026" in march
    assert "(7 terminals)" in march
    assert "20 min" in march
    assert "1 min 48 s" in current


def test_the_figures_of_the_month_are_live(fleet):
    shown = IncidentsPage(EVERYTHING, IncidentFilter(), zone=ZoneInfo("UTC"))
    before = shown.page_state(RenderContext(now(), EVERYTHING))

    change = Change(incidents=frozenset({factories.incident(fleet).pk}))
    after = shown.page_state(RenderContext(now(), EVERYTHING), change, before)

    numbers = [state.parts["month"].values["times"].number for state in (before, after)]
    assert numbers == [0, 1]


def test_the_row_names_the_actions_that_apply(page, open_one):
    seen = page("/incidents/")

    [box] = [attributes for tag, attributes in seen.elements if tag == "input" and attributes.get("name") == "incident"]
    assert (box["data-actions"] or "").split() == ["acknowledge", "claim", "snooze", "assign", "comment", "merge"]


def test_selected_incidents_are_acknowledged_together(browser, fleet, open_one, tanaka):
    other = factories.incident(fleet, "UMD")
    chosen = {"incident": [open_one.pk, other.pk, past().pk]}

    dialog = HtmlPage(browser.get("/incidents/acknowledge/", chosen, headers=HTMX_HEADERS))
    answer = browser.post("/incidents/acknowledge/", chosen | {"comment": "One switch"}, headers=HTMX_HEADERS)

    assert "Acknowledge: 2 incidents" in dialog.text("bulk-action-title")
    assert "Applies to 2 of 3 selected incidents." in dialog.text("bulk-action")
    assert answer["HX-Trigger"] == "bulk-action-done"
    assert set(Incident.objects.exclude(state="resolved").values_list("state", "comment")) == {
        ("acknowledged", "One switch")
    }
    assert not Alert.objects.unresolved().exclude(acknowledged_by=tanaka).exists()


def test_without_javascript_it_is_a_page_and_a_toast_on_the_list(browser, open_one):
    address = f"/incidents/acknowledge/?incident={open_one.pk}"
    assert "Back to the incidents" in browser.get(address).content.decode()

    answer = browser.post("/incidents/acknowledge/", {"incident": open_one.pk}, follow=True)

    assert "Acknowledged: Site SJK: 5 of 5 terminals offline" in HtmlPage(answer).text("toasts")


@pytest.mark.parametrize(
    ("action", "chosen", "status"),
    [
        ("acknowledge", [], 422),
        ("comment", ["{pk}"], 422),
        ("reopen", ["{pk}"], 409),
        ("resolve", ["{pk}"], 409),
        ("explode", ["{pk}"], 404),
        ("acknowledge", ["4711"], 409),
    ],
)
def test_what_does_not_apply_changes_nothing(browser, open_one, action, chosen, status):
    pks = [one.format(pk=open_one.pk) for one in chosen]

    answer = browser.post(f"/incidents/{action}/", {"incident": pks}, headers=HTMX_HEADERS)

    assert answer.status_code == status
    assert open_one.transitions.count() == 1


def test_an_incident_outside_of_the_scope_is_neither_listed_nor_changed(client, fleet, open_one):
    west = people.person("west", of=None)
    people.grant(west, "Operator", site=fleet.site("WEST"))
    client.force_login(west)

    seen = HtmlPage(client.get("/incidents/"))
    answer = client.post("/incidents/acknowledge/", {"incident": open_one.pk}, headers=HTMX_HEADERS)

    assert seen.rows("incident-") == []
    assert seen.text("count-all") == "0"
    assert answer.status_code == 409
    assert open_one.transitions.count() == 1


def exported(browser, query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(streamed(browser.get("/incidents/export/?" + query)))))


def test_the_export_has_what_the_filter_shows_or_what_is_selected(browser, open_one, tanaka):
    correlation.acknowledge(open_one, by=tanaka, comment="Power cut", at=now())
    other = past()

    everything, critical = exported(browser, ""), exported(browser, "severity=critical")
    selected = exported(browser, f"incident={other.pk}")

    assert [row["id"] for row in everything] == [str(open_one.pk), str(other.pk)]
    assert [row["id"] for row in selected] == [str(other.pk)]
    [row] = critical
    assert (row["title"], row["acknowledged_by"], row["comment"], row["lost"], row["state"]) == (
        "Site SJK: 5 of 5 terminals offline", "M. Tanaka", "Power cut", "5", "acknowledged",
    )  # fmt: skip
    assert selected[0]["lasted_s"].startswith("1200")
