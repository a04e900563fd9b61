"""The page, its CSV and REST: what people see of a month."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest
import time_machine

from tests.support import people
from tests.support.alerts.availability import DAY, away, open_daily, roll_up_until, serving, tokyo
from tests.support.factories import alert, resolved
from tests.support.rest import operator_client
from tms.accounts.models import AuditEntry
from tms.availability import targets
from tms.availability.models import AvailabilityTarget
from tms.fleet.models import Outage

pytestmark = pytest.mark.both
LAST = date(2026, 10, 31)


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(tokyo("12:00", date(2026, 11, 10)), tick=False):
        yield


@pytest.fixture
def month(fleet):
    """Two sites in October: one lost six hours to its carrier and one to its power, the other nothing."""
    lossy = open_daily(fleet.site("LSY", name="Lossy <b>", region="Kanto"))
    good = open_daily(fleet.site("FIN", name="Good", region="Kansai"))
    terminals = [
        serving(fleet, lossy, uid="L-1", kind="gate", model="G2"),
        serving(fleet, good, uid="G-1", kind="kiosk"),
    ]
    away(terminals[0], tokyo("10:00"), tokyo("16:00"))
    away(terminals[0], tokyo("10:00", LAST), tokyo("11:00", LAST), "power")
    roll_up_until(LAST)
    return terminals


@pytest.fixture
def reader(month):
    return people.signed_in(people.person("reader", first_name="R", last_name="R"))


def test_the_headline_comes_first_then_the_worst_site_and_the_party(reader):
    page = reader.get("/availability/?month=2026-10").content.decode()

    text = " ".join(page.split())
    assert '<span class="miss">98.37%</span> of opening hours in October 2026, below the 99.90% target' in text
    assert "7 h lost of 432 h." in text
    assert "Lossy &lt;b&gt;" in page
    assert page.index('title="Lossy') < page.index('title="Good')
    assert "Carrier: Network lost" in page
    assert "1 breach" in text


@pytest.mark.parametrize(
    ("order", "first", "second"),
    [("", "Lossy", "Good"), ("name", "Good", "Lossy"), ("-share", "Good", "Lossy"), ("-lost", "Lossy", "Good")],
)
def test_the_rows_are_sorted_by_their_headers(reader, order, first, second):
    page = reader.get(f"/availability/?month=2026-10&order={order}").content.decode()

    assert page.index(f'title="{first}') < page.index(f'title="{second}')
    assert ("worst first" in page) is (not order)
    assert page.count("aria-sort") == bool(order)


def test_a_running_month_is_neither_met_nor_missed(reader):
    roll_up_until(date(2026, 11, 5))

    text = " ".join(reader.get("/availability/?month=2026-11").content.decode().split())

    assert "100.00%</span> of opening hours in November 2026 so far" in text
    assert "Days until 5 November." in text


def test_without_days_the_page_says_when_there_will_be_some(fleet):
    viewer = people.signed_in(people.person("viewer", first_name="V", last_name="V"))

    assert "No availability yet" in viewer.get("/availability/").content.decode()


@pytest.mark.parametrize(
    ("by", "codes"),
    [
        ("site", ["LSY", "FIN"]),
        ("terminal", ["L-1", "G-1"]),
        ("kind", ["gate", "kiosk"]),
        ("model", ["G2", ""]),
        ("region", ["Kanto", "Kansai"]),
    ],
)
def test_the_csv_has_every_group_the_worst_first(reader, by, codes):
    answer = reader.get("/availability/export/", {"month": "2026-10", "by": by})

    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["code"] for row in rows] == codes
    found = {name: rows[0][name] for name in ("counted_s", "network_s", "power_s", "lost_s")}
    assert found == {"counted_s": "777600", "network_s": "21600", "power_s": "3600", "lost_s": "25200"}
    assert AuditEntry.objects.filter(action="exported", subject_type="availability.siteday").exists()


@pytest.mark.parametrize(
    ("scope", "codes"), [({"region": "Kansai"}, ["G-1"]), ({"site": "LSY"}, ["L-1"]), ({"group": "L-1"}, ["L-1"])]
)
def test_people_see_the_terminals_of_their_scope(fleet, month, scope, codes):
    if "group" in scope:
        scope = {"group": fleet.group("Lobby", month[0])}
    if "site" in scope:
        scope = {"site": month[0].site}
    person = people.person("scoped", first_name="S", last_name="S")
    person.grants.all().delete()
    people.grant(person, "Viewer", **scope)
    reader = people.signed_in(person)

    for by in ("terminal", "site"):
        answer = reader.get("/availability/export/", {"month": "2026-10", "by": by})
        rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
        expected = codes if by == "terminal" else [each.site.code for each in month if each.uid in codes]
        assert [row["code"] for row in rows] == expected


def test_a_group_shows_its_terminals_and_not_the_whole_site(fleet, month):
    serving(fleet, month[0].site, uid="L-2", since=tokyo("00:00", date(2026, 11, 1)))
    away(month[0], tokyo("12:00", date(2026, 11, 1)), tokyo("13:00", date(2026, 11, 1)))
    roll_up_until(date(2026, 11, 1))
    person = people.person("scoped", first_name="S", last_name="S")
    person.grants.all().delete()
    people.grant(person, "Viewer", group=fleet.group("Lobby", month[0]))

    answer = people.signed_in(person).get("/availability/export/", {"month": "2026-11", "by": "site"})

    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["counted_s"] for row in rows] == [str(12 * 3_600)]


def test_a_site_has_its_own_target(month, reader):
    targets.set_target(month[0].site, 96.5)

    page = reader.get("/availability/?month=2026-10").content.decode()

    assert "0 breaches" in " ".join(page.split())
    assert "96.50%" in page
    assert AuditEntry.objects.filter(action="changed", subject_type="fleet.site").exists()


def test_a_manager_sets_the_target_on_the_page_of_the_site(month):
    manager = people.signed_in(people.person("manager", of="Manager", first_name="M", last_name="M"))
    path = "/availability/target/?month=2026-10&where=site:LSY"

    assert manager.post(path, {"site": "LSY", "percent": "99.5"}).status_code == 302
    assert AvailabilityTarget.objects.get().percent == 99.5
    assert manager.post(path, {"site": "LSY", "percent": "101"}).status_code == 422
    assert manager.post(path, {"site": "LSY", "percent": ""}).status_code == 302
    assert not AvailabilityTarget.objects.exists()


def test_response_times_of_the_month_are_those_of_its_alerts(fleet, reader):
    with time_machine.travel(tokyo("12:00", DAY), tick=False):
        opened = alert(fleet, opened_at=tokyo("12:00"))
        resolved(opened, at=tokyo("12:30"))

    page = reader.get("/availability/?month=2026-10").content.decode()

    assert "30 min" in page


def test_the_number_of_queries_does_not_depend_on_the_fleet(fleet, month, reader, django_assert_max_num_queries):
    with django_assert_max_num_queries(60) as few:
        reader.get("/availability/?month=2026-10")
    for number in range(4):
        serving(fleet, open_daily(fleet.site(f"N{number}")), since=tokyo("00:00", LAST))
    roll_up_until(LAST + timedelta(days=1))

    with django_assert_max_num_queries(len(few)):
        reader.get("/availability/?month=2026-10")


def test_the_rest_api_has_the_figures_by_reason_and_party(month):
    found = operator_client().get("/availability?month=2026-10&by=terminal&site=LSY").json()

    assert found == [
        {
            "month": "2026-10",
            "by": "terminal",
            "code": "L-1",
            "counted_s": 777_600,
            "excluded_s": 0,
            "lost_s": 25_200,
            "lost": {"network": 21_600, "power": 3_600},
            "parties": {"carrier": 21_600, "shop": 3_600},
            "percent": pytest.approx(96.759259),
            "target_percent": 99.9,
        }
    ]


def test_a_percentage_is_rounded_down(month, reader):
    Outage.objects.all().delete()
    away(month[1], tokyo("10:00", date(2026, 11, 2)), tokyo("10:00", date(2026, 11, 2)) + timedelta(seconds=1))
    roll_up_until(date(2026, 11, 2))

    assert "99.99%" in reader.get("/availability/?month=2026-11").content.decode()


def test_the_pdf_has_the_customer_and_embeds_a_japanese_font(month, reader, settings):
    settings.CUSTOMER = "関西リテール株式会社 #let x = <b>"
    month[0].site.name_ja = "新宿南口"
    month[0].site.save()
    reader.cookies["django_language"] = "ja"

    answer = reader.get("/availability/pdf/?month=2026-10")

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert b"NotoSansCJK" in answer.content
