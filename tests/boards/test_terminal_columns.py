"""The columns of the list of terminals: which are shown, who sees what in them, and their export."""

import csv
from io import StringIO

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HtmlPage, streamed
from tms.accounts.models import AuditEntry, User
from tms.accounts.scope import EVERYTHING
from tms.boards.columns.terminals import DEFAULT_COLUMNS
from tms.boards.list_filters.filters import TerminalFilter
from tms.boards.list_filters.terminal_layout import TerminalLayout
from tms.boards.list_filters.terminal_orders import order_of, ordered
from tms.boards.pages import RenderContext, TerminalsPage
from tms.feed.change import Change
from tms.fleet.labels.attributes import set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, Device, Placement, Site, Terminal

pytestmark = pytest.mark.both


@pytest.fixture
def labelled(fleet) -> list[Terminal]:
    """Two terminals with tags, groups and attributes of their own, of their site and of their device."""
    site = fleet.site("UMD", name="Umeda")
    first = fleet.online(uid="K-1", site=site, label="Hall 2", serial="SN-9", address="10.0.0.9", agent="1.9")
    second = fleet.online(uid="K-2", site=fleet.site("SJK"), serial="SN-10", address="10.0.0.10", agent="1.10")
    device = Placement.objects.open().get(terminal=second).device
    change_tags(Terminal, [first.pk], add=["lobby"])
    change_tags(Site, [site.pk], add=["west"])
    change_tags(Device, [device.pk], add=["leased"])
    fleet.group("Lobby", first)
    for name, kind, subject, model, row, value in (
        ("floor", "number", "terminal", Terminal, first, "9"),
        ("owner", "text", "site", Site, site, "North"),
        ("lease", "day", "device", Device, device, "2027-03-31"),
    ):
        attribute = Attribute.objects.create(name=name, label=name.title(), type=kind, subject=subject)
        set_values(model, [row.pk], {attribute: value})
    return [first, second]


def headers(seen: HtmlPage) -> list[str]:
    table = seen.html[seen.html.index("<thead>") : seen.html.index("</thead>")]
    return [part.split("<")[0] for part in table.split('">') if part[:1].isalpha()]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ("uid,model,presence", ["Terminal", "Model", "Presence"]),
        ("model,uid", ["Terminal", "Model"]),
        ("nonsense,model,model,attr.none,<script>", ["Terminal", "Model"]),
        ("uid", ["Terminal"]),
    ],
)
def test_the_url_names_the_columns_and_their_order(page, fleet, columns, shown):
    fleet.online()

    assert headers(page(f"/terminals/?columns={columns}")) == shown


def test_an_unknown_choice_shows_the_usual_columns(page, fleet):
    assert headers(page("/terminals/?columns=nonsense")) == headers(page("/terminals/"))
    assert len(headers(page("/terminals/"))) == len(DEFAULT_COLUMNS)


def test_columns_show_tags_groups_and_attributes_also_of_site_and_device(page, labelled):
    first, second = labelled

    seen = page("/terminals/?columns=tags,groups,attr.floor,attr.owner,attr.lease,serial,address,agent,kind,lifecycle")

    assert seen.text(f"terminal-{first.pk}").split()[2:] == (
        ["lobby", "west", "Lobby", "9", "North", "SN-9", "10.0.0.9", "1.9", "Kiosk", "In", "service"]
    )
    assert seen.text(f"terminal-{second.pk}").split()[3:] == (
        ["leased", "2027-03-31", "SN-10", "10.0.0.10", "1.10", "Kiosk", "In", "service"]
    )


ORDERS = [
    ("serial", "K-1 K-2"),
    ("address", "K-1 K-2"),
    ("agent", "K-1 K-2"),
    ("kind", "K-1 K-2"),
    ("-lifecycle", "K-1 K-2"),
    ("attr.floor", "K-1 K-2"),
    ("-attr.floor", "K-1 K-2"),
    ("attr.owner", "K-2 K-1"),
    ("attr.lease", "K-2 K-1"),
    ("attr.none", "K-1 K-2"),
]


@pytest.mark.embedded
@pytest.mark.parametrize(("order", "found"), ORDERS)
def test_each_column_sorts_the_list_and_its_pages(page, labelled, order, found):
    seen = page(f"/terminals/?order={order}")
    terminals, keyset = order_list(order)
    first = keyset.window(terminals, size=1)
    after = keyset.window(terminals, after=first.after, size=1)

    shown = [seen.text(row).split()[0] for row in seen.rows("terminal-")]
    assert shown == found.split()
    assert list(first.pks + after.pks) == [Terminal.objects.get(uid=uid).pk for uid in shown]


def order_list(order: str):
    return ordered(Terminal.objects.all(), order_of(QueryDict(f"order={order}")), number=2)


def test_a_person_keeps_their_columns_until_they_reset_them(page, browser, tanaka, fleet):
    fleet.online()
    sent = {"columns": ["uid", "model", "seen"], "list": "q=T-&evil=//x", "order": "-model"}

    chosen = browser.post("/terminals/columns/", sent)
    kept = headers(page("/terminals/"))
    given = headers(page("/terminals/?columns=uid,firmware"))
    reset = browser.post("/terminals/columns/", {"reset": "1", "list": "q=T-"})

    assert chosen["Location"] == "/terminals/?q=T-&columns=uid,model,seen&order=-model"
    assert (kept, given) == (["Terminal", "Model", "Last seen"], ["Terminal", "Firmware"])
    assert reset["Location"] == "/terminals/?q=T-"
    assert User.objects.get(pk=tanaka.pk).terminal_columns == ""


def test_a_report_keeps_the_tags_and_a_changed_tag_reads_them_again(labelled, fleet):
    first, _ = labelled
    shown = TerminalsPage(EVERYTHING, TerminalFilter(), layout=TerminalLayout(("uid", "tags")))
    before = shown.page_state(RenderContext(now(), EVERYTHING))
    change_tags(Terminal, [first.pk], add=["new"])
    element = f"terminal-{first.pk}"

    with CaptureQueriesContext(connection) as queries:
        reported = shown.page_state(RenderContext(now(), EVERYTHING), Change(terminals=frozenset({first.pk})), before)
    changed = shown.page_state(RenderContext(now(), EVERYTHING), Change(everything=True), reported)

    assert not [query for query in queries if "tag" in query["sql"]]
    assert reported.parts[element].values["extras"] == before.parts[element].values["extras"]
    assert dict(changed.parts[element].values["extras"])["tags"] == ("lobby", "new", "west")


def test_columns_cost_one_query_each_however_many_rows(browser, labelled, fleet):
    address = "/terminals/?columns=tags,groups,serial,address,attr.floor,attr.owner"
    browser.get(address)
    with CaptureQueriesContext(connection) as few:
        browser.get(address)
    fleet.terminals(20)

    with CaptureQueriesContext(connection) as many:
        browser.get(address)
    with CaptureQueriesContext(connection) as none:
        browser.get("/terminals/?columns=uid")

    assert len(many) == len(few) == len(none) + 5  # one is for the definitions of attributes


def exported(answer) -> list[list[str]]:
    return list(csv.reader(StringIO(streamed(answer))))


def test_the_export_has_the_columns_and_the_order_of_the_list(browser, labelled):
    Terminal.objects.filter(uid="K-1").update(label="=1+1")

    rows = exported(browser.get("/terminals/export/?q=K-&columns=uid,tags,label,site,attr.floor&order=-uid"))

    assert rows == [
        ["uid", "tags", "label", "site", "site_name", "attr.floor"],
        ["K-2", "leased", "", "SJK", "Site SJK", ""],
        ["K-1", "lobby west", "'=1+1", "UMD", "Umeda", "9.0"],
    ]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, "columns=uid" in str(entry.changes)) == ("exported", True)


def test_the_export_has_only_the_selected_terminals_of_the_scope(browser, client, labelled):
    first, _ = labelled
    west = people.person("west", of=None)
    people.grant(west, "Viewer", site=first.site)
    client.force_login(west)
    both = {"terminal": ["K-1", "K-2"], "columns": "uid"}

    assert exported(browser.get("/terminals/export/", {"terminal": "K-2", "columns": "uid"})) == [["uid"], ["K-2"]]
    assert exported(browser.post("/terminals/export/", both)) == [["uid"], ["K-1"], ["K-2"]]
    assert exported(client.post("/terminals/export/", both)) == [["uid"], ["K-1"]]
    assert exported(client.get("/terminals/export/?columns=uid")) == [["uid"], ["K-1"]]


def test_the_density_is_remembered_for_the_person(browser, tanaka):
    browser.post("/me/density/", {"density": "compact"})

    assert 'data-density="compact"' in browser.get("/terminals/").content.decode()
    assert browser.post("/me/density/", {"density": "huge"}).status_code == 400
