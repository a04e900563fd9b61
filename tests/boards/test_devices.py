"""The list of devices."""

import csv
import re
from uuid import uuid4

import pytest

from tests.support import people
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage, streamed
from tests.support.rest import ApiClient
from tms.accounts.models import AuditEntry
from tms.fleet.labels.attributes import set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, Device, Region
from tms.inspections.models import Inspection, InspectionResult, Round

pytestmark = pytest.mark.both


@pytest.fixture
def stock(fleet):
    """One that serves and was inspected, a spare with labels at another site, and one in repair that is nowhere."""
    Region.objects.create(name="Kanto")
    here, there = fleet.site("SJK", name="Shinjuku", region="Kanto"), fleet.site("UMD", name="Umeda")
    terminal = fleet.online(uid="SJK-1", site=here, serial="A1", label="Lane 3")
    serving = Device.objects.get(serial="A1")
    spare = Device.objects.create(serial="B2", manufacturer="Kronos", model="KX-21", site=there, note="second shelf")
    Device.objects.create(serial="C3", state="in_repair")
    change_tags(Device, [spare.pk], add=("pilot",))
    bought = Attribute.objects.create(name="bought", subject="device", type="number", label="Bought")
    set_values(Device, [spare.pk], {bought: "2024"})
    done = Round.objects.create(name="Round", due_on="2099-12-31", started_at=now(-9_000))
    stamps = {"at": now(-7_200), "received_at": now(), "key": uuid4(), "result": InspectionResult.IN_ORDER}
    Inspection.objects.create(round=done, terminal=terminal, device=serving, **stamps)


def serials(page: HtmlPage) -> list[str]:
    names = dict(Device.objects.values_list("pk", "serial"))
    return [names[int(element.removeprefix("device-"))] for element in page.rows("device-")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "A1 B2 C3"),
        ("state:spare,in_repair", "B2 C3"),
        ("serial:b*", "B2"),
        ("model:kx-21 manufacturer:kronos", "B2"),
        ("site:SJK", "A1"),
        ("region:Kanto", "A1"),
        ("terminal:sjk-1", "A1"),
        ('terminal:""', "B2 C3"),
        ('site:""', "C3"),
        ("tag:pilot attr.bought>2020", "B2"),
        ("-tag:pilot", "A1 C3"),
        ("note:shelf", "B2"),
        ("inspected<3h", "A1"),
        ("inspected>1h", "A1 B2 C3"),
        ("inspected:never", "B2 C3"),
        ("umeda", "B2"),
    ],
)
def test_devices_are_found_by_queries(browser, stock, query, found):
    api = ApiClient.of(people.person("api", of="Viewer"))

    assert serials(HtmlPage(browser.get("/devices/", {"q": query}))) == found.split()
    listed = [one["serial"] for one in api.get("/devices", {"q": query}).json()["items"]]
    assert sorted(listed) == found.split()


def test_a_row_says_where_the_device_is_and_when_it_was_inspected(page, stock):
    seen = page("/devices/")
    row = seen.text(f"device-{Device.objects.get(serial='A1').pk}")

    assert all(text in row for text in ("In service", "SJK-1", "Shinjuku", "Lane 3", "In order"))
    assert "never" in seen.text(f"device-{Device.objects.get(serial='C3').pk}")
    assert "/devices/?q=state:spare" in seen.links()


def test_tabs_count_what_else_the_query_selects(browser, stock):
    html = HtmlPage(browser.get("/devices/", {"q": "inspected:never state:spare"})).html

    tabs = dict(re.findall(r'class="tab".*?>([A-Z][a-z ]+) <span class="count">([0-9]+)<', html, re.DOTALL))
    assert tabs == {"All": "2", "Spare": "1", "In service": "0", "In repair": "1", "Retired": "0", "Lost": "0"}


def test_a_mistake_is_named_and_completion_knows_the_fields(browser, stock):
    typed = browser.get("/devices/", {"q": "modll:KX"}, headers=HTMX_HEADERS)
    found = browser.get("/devices/", {"q": "model:KX*"}, headers=HTMX_HEADERS)
    options = browser.get("/suggestions/queries/devices/", {"q": "model:k"}).text

    assert (typed["HX-Retarget"], 'data-corrected="model:KX"' in typed.text) == ("#query-problem", True)
    assert found["HX-Replace-Url"] == "/devices/?q=model:KX*"
    assert 'data-text="KX-21"' in options


def test_an_export_has_what_the_query_selects_and_is_recorded(browser, stock):
    lines = list(csv.DictReader(streamed(browser.get("/devices/export/", {"q": "state:spare"})).splitlines()))

    assert [(one["serial"], one["site"], one["tags"], one["note"]) for one in lines] == [
        ("B2", "UMD", "pilot", "second shelf")
    ]
    assert AuditEntry.objects.get(action="exported", subject_type="fleet.device").changes["filter"] == [
        None,
        "q=state:spare",
    ]


def test_pages_follow_each_other_in_the_order_of_serial_numbers(browser, db):
    Device.objects.bulk_create(Device(serial=f"{number:03}") for number in range(150))

    first = HtmlPage(browser.get("/devices/"))
    (following,) = (link for link in first.links() if "after=" in link)
    second = HtmlPage(browser.get(following))

    assert serials(first) + serials(second) == [f"{number:03}" for number in range(150)]
