"""Pages on which people create and edit sites, and set their hours."""

from datetime import date, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.support import people
from tests.support.builders import AT
from tests.support.pages import HtmlPage, values_of
from tms.accounts.models import AuditEntry
from tms.fleet.models import DeviceState, OpeningHours, Region, Site, SpecialDay
from tms.fleet.sites import services
from tms.fleet.sites.services import SiteValues

pytestmark = [pytest.mark.both, pytest.mark.django_db]

NEW = {"code": "umd", "name": "Umeda", "name_ja": "梅田", "region": "", "address": "", "time_zone": "Asia/Tokyo"}
FORMS = {"special-TOTAL_FORMS": "3", "special-INITIAL_FORMS": "0", "on_holidays": "as_usual", "holiday_calendar": "JP"}


def browser_of(name: str, role: str = "Lead", **scope) -> Client:
    person = people.person(name, of=None)
    people.grant(person, role, **scope)
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def lead() -> Client:
    return browser_of("lead")


@pytest.fixture
def kanto(fleet) -> Client:
    """A browser of a lead of the region Kanto only, with a site there and one in Kansai."""
    fleet.site("SJK", region="Kanto")
    fleet.site("UMD", region="Kansai")
    return browser_of("kanto", region="Kanto")


def errors_of(answer, field: str) -> str:
    return HtmlPage(answer).text(f"id_{field}_error")


def test_a_site_is_created_with_its_code_in_capitals(lead):
    answer = lead.post("/sites/new/", NEW)

    assert (answer.status_code, answer["Location"]) == (302, "/sites/UMD/")
    site = Site.objects.get(code="UMD")
    assert (site.name, site.name_ja, site.region) == ("Umeda", "梅田", "")
    assert AuditEntry.objects.filter(action="created", subject_type="fleet.site").count() == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "no good"}, "code"),
        ({"code": "sjk"}, "code"),
        ({"name": " "}, "name"),
        ({"region": "Nowhere"}, "region"),
        ({"time_zone": "Asia/Edo"}, "time_zone"),
    ],
)
def test_a_wrong_value_is_shown_at_its_field(lead, fleet, changed, field):
    fleet.site("SJK")

    answer = lead.post("/sites/new/", NEW | changed)

    assert answer.status_code == 422
    assert errors_of(answer, field)
    assert Site.objects.count() == 1


def test_a_site_is_created_where_the_person_may_change_sites(kanto):
    allowed = kanto.post("/sites/new/", NEW | {"code": "AKB", "region": "Kanto"})
    elsewhere = kanto.post("/sites/new/", NEW | {"code": "NMB", "region": "Kansai"})
    nowhere = kanto.post("/sites/new/", NEW | {"code": "NMB"})

    assert allowed.status_code == 302
    assert "Choose a region in which you may change sites" in errors_of(elsewhere, "region")
    assert "Choose a region in which you may change sites" in errors_of(nowhere, "region")
    assert set(Site.objects.values_list("code", flat=True)) == {"SJK", "UMD", "AKB"}


def test_a_site_is_edited_and_may_not_leave_the_scope(kanto):
    kept = kanto.post("/sites/SJK/edit/", NEW | {"code": "SJK", "name": "Shinjuku", "region": "Kanto"})
    moved = kanto.post("/sites/SJK/edit/", NEW | {"code": "SJK", "name": "Moved", "region": "Kansai"})

    assert (kept.status_code, moved.status_code) == (302, 422)
    assert Site.objects.values_list("name", "region").get(code="SJK") == ("Shinjuku", "Kanto")


@pytest.mark.parametrize("page", ["edit", "hours", "contacts", "close", "reopen"])
def test_forms_open_for_the_sites_of_the_scope_only(kanto, page):
    assert kanto.get(f"/sites/SJK/{page}/").status_code in (200, 302)
    assert kanto.get(f"/sites/UMD/{page}/").status_code == 404


@pytest.mark.parametrize("page", ["edit", "hours", "contacts", "close", "reopen"])
def test_who_sees_a_site_but_may_not_change_it_is_refused(fleet, page):
    fleet.site("SJK", region="Kanto")
    fleet.site("UMD")
    viewer = browser_of("viewer", "Viewer")
    person = people.person("mixed", of="Viewer")
    people.grant(person, "Lead", region="Kanto")
    mixed = Client()
    mixed.force_login(person)

    assert viewer.get(f"/sites/SJK/{page}/").status_code == 403
    assert mixed.get(f"/sites/UMD/{page}/").status_code == 403


def test_the_person_who_may_change_one_site_keeps_its_region(fleet):
    site = fleet.site("SJK", region="Kanto")
    browser = browser_of("one", site=site)

    answer = browser.post("/sites/SJK/edit/", NEW | {"code": "SJK", "name": "Shinjuku", "region": "Kanto"})

    assert answer.status_code == 302
    assert browser.post("/sites/new/", NEW | {"region": "Kanto"}).status_code == 422


def test_a_week_is_typed_quickly(lead, fleet):
    site = fleet.site("SJK")
    typed = {"day_0": "10-20", **{f"day_{day}": "=" for day in (1, 2, 3)}, "day_4": "10-14, 17-2", "day_5": "24h"}

    answer = lead.post("/sites/SJK/hours/", FORMS | typed)

    assert answer.status_code == 302
    hours = OpeningHours.objects.filter(site=site).order_by("weekday", "opens_at")
    assert [(row.weekday, f"{row.opens_at:%H}-{row.closes_at:%H}") for row in hours] == [
        (0, "10-20"),
        (1, "10-20"),
        (2, "10-20"),
        (3, "10-20"),
        (4, "10-14"),
        (4, "17-02"),
        (5, "00-00"),
    ]


def test_saving_the_form_of_hours_as_it_is_changes_nothing(lead, fleet):
    site, tomorrow = fleet.site("SJK"), timezone.localdate() + timedelta(days=1)
    lead.post(
        "/sites/SJK/hours/",
        FORMS
        | {"day_0": "10-14, 17-2", "day_3": "24h", "on_holidays": "other", "holidays": "12-16"}
        | {"special-0-first_on": f"{tomorrow}", "special-0-hours": "8-12, 13-15", "special-0-note": "Fair"}
        | {
            "special-1-first_on": f"{tomorrow + timedelta(days=3)}",
            "special-1-last_on": f"{tomorrow + timedelta(days=5)}",
        },
    )
    before = hours_of(site)

    shown = HtmlPage(lead.get("/sites/SJK/hours/"))
    answer = lead.post("/sites/SJK/hours/", values_of(shown))

    assert answer.status_code == 302
    assert hours_of(site) == before
    assert len(before[0]) == 4
    assert len(before[1]) == 3


def hours_of(site):
    site.refresh_from_db()
    week = site.opening_hours.values_list("weekday", "opens_at", "closes_at")
    special = site.special_days.values_list("first_on", "last_on", "opens_at", "closes_at", "note")
    return sorted(week), sorted(special, key=str), site.on_holidays, site.holiday_calendar


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"day_2": "early"}, "day_2"),
        ({"day_0": "closed"}, "day_0"),
        ({"day_0": "="}, "day_0"),
        ({"day_0": "10-20", "holidays": "x"}, "holidays"),
        ({"holiday_calendar": "XX"}, "holiday_calendar"),
        ({"special-0-first_on": "31.12.2026"}, "special-0-first_on"),
        ({"special-0-hours": "10-12"}, "special-0-first_on"),
        ({"special-0-first_on": "2099-12-31", "special-0-hours": "late"}, "special-0-hours"),
        ({"special-0-first_on": "2099-12-31", "special-0-last_on": "2099-12-01"}, "special-0-last_on"),
        ({"special-0-first_on": "2099-01-01", "special-0-last_on": "2101-01-01"}, "special-0-last_on"),
    ],
)
def test_wrong_hours_are_shown_at_their_field_and_nothing_is_saved(lead, fleet, changed, field):
    site = fleet.site("SJK")
    OpeningHours.objects.create(site=site, weekday=0, opens_at=time(9), closes_at=time(17))

    answer = lead.post("/sites/SJK/hours/", FORMS | changed)

    assert answer.status_code == 422
    assert errors_of(answer, field)
    assert OpeningHours.objects.count() == 1


def test_special_days_that_are_over_are_kept_and_a_cleared_one_is_removed(lead, fleet):
    site, next_year = fleet.site("SJK"), timezone.localdate().year + 1
    SpecialDay.objects.create(site=site, first_on=date(2020, 1, 1), note="Long ago")
    SpecialDay.objects.create(site=site, first_on=date(next_year, 1, 1), note="Coming")
    shown = values_of(HtmlPage(lead.get("/sites/SJK/hours/")))

    lead.post("/sites/SJK/hours/", shown | {"special-0-first_on": [""]})

    assert list(SpecialDay.objects.values_list("note", flat=True)) == ["Long ago"]


def test_errors_appear_while_a_person_fills_in_the_hours(lead, fleet):
    fleet.site("SJK")

    answer = lead.post("/sites/SJK/hours/?check=1", FORMS | {"day_1": "x", "_left": ["day_1", "day_2"]})

    assert answer.status_code == 200
    assert "Enter times such as" in HtmlPage(answer).text("id_day_1_error")
    assert not HtmlPage(answer).text("id_day_2_error")


def test_regions_to_choose_from_are_named_in_the_language_of_the_reader(lead):
    Region.objects.create(name="Kanto", name_ja="関東")

    page = lead.get("/sites/new/", headers={"Accept-Language": "ja"}).content.decode()

    assert ">関東</option>" in page


def test_a_site_that_is_closed_during_an_edit_stays_closed(fleet):
    site = fleet.site("SJK")
    edited, with_hours = Site.objects.get(), Site.objects.get()
    services.close_site(site, device_becomes=DeviceState.SPARE, by=None, at=AT)

    services.edit_site(edited, SiteValues("SJK", "Shinjuku North"))
    services.set_hours(with_hours, [], [])

    assert list(Site.objects.values_list("name", "closed_at")) == [("Shinjuku North", AT)]
