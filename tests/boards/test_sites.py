"""The list of sites, and the page of one."""

from datetime import time, timedelta

import pytest
from django.utils import timezone

from tests.boards.live.changes import change
from tests.support import factories, people
from tests.support.alerts.planned_work import maintain
from tests.support.factories import now
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts.scope import EVERYTHING, Scope
from tms.availability.models import KindDay, SiteDay
from tms.boards.list_filters.site_filter import SiteFilter
from tms.boards.pages import RenderContext, SitePage, SitesPage
from tms.feed.change import Change
from tms.fleet.labels.attributes import set_values
from tms.fleet.labels.tags import change_tags
from tms.fleet.models import Attribute, OpeningHours, Region, Site, SiteContact, SpecialDay

pytestmark = pytest.mark.both


def codes(seen: HtmlPage) -> list[str]:
    return [element.removeprefix("site-") for element in seen.rows("site-")]


def closed_now(site: Site) -> None:
    """Open on another day only."""
    weekday = (now() + timedelta(days=3)).weekday()
    OpeningHours.objects.create(site=site, weekday=weekday, opens_at=time(9), closes_at=time(10))


@pytest.fixture
def some(fleet):
    """A site for each level of impact, named against the order."""
    calm, warned, critical = (
        fleet.site("AAA", name="Akita"),
        fleet.site("BBB", name="Biwa"),
        fleet.site("CCC", name="Chiba"),
    )
    fleet.online(site=calm, uid="AAA-1")
    factories.alert(fleet, severity="warning", terminal=fleet.online(site=warned, uid="BBB-1"))
    fleet.online(site=critical, uid="CCC-1", kind="gate")
    factories.alert(fleet, terminal=fleet.with_presence("offline", site=critical, uid="CCC-2", kind="kiosk"))


def test_sites_are_listed_by_impact(page, some, fleet):
    part = fleet.site("DDD", name="Date")
    fleet.online(site=part, kind="gate")
    factories.alert(fleet, terminal=fleet.with_presence("offline", site=part, kind="gate"))
    closed = fleet.site("EEE", name="Ebina")
    closed_now(closed)
    factories.alert(fleet, terminal=fleet.with_presence("offline", site=closed))

    assert codes(page("/sites/")) == ["CCC", "DDD", "BBB", "AAA", "EEE"]
    assert codes(page("/sites/?order=name")) == ["AAA", "BBB", "CCC", "DDD", "EEE"]


def test_a_row_has_terminals_presence_the_worst_alert_and_hours(page, some):
    text = page("/sites/").text("site-CCC")

    assert text.startswith("CCC Chiba 2 1 offline")
    assert "Critical 1 alert" in text
    assert "always open" in text


def test_a_row_names_the_worst_incident_instead_of_alerts(page, fleet):
    incident = factories.incident(fleet, "SJK")

    seen = page("/sites/")

    assert incident.title in seen.text("site-SJK")
    assert f"/incidents/{incident.pk}/" in seen.links()
    assert seen.text("count-incident") == "1"
    assert codes(page("/sites/?state=incident")) == ["SJK"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=bbb", ["BBB"]),
        ("q=chi", ["CCC"]),
        ("q=%E7%A7%8B", ["AAA"]),
        ("q=Harbour", ["BBB"]),
        ("q=region:Kanto", ["CCC"]),
        ("q=-region:Kanto name:a", ["BBB", "AAA"]),
        ("q=code:BBB or code:CCC", ["CCC", "BBB"]),
        ("q=tag:port", ["BBB"]),
        ("q=attr.operator:example", ["CCC"]),
        ("q=open:yes", ["CCC", "BBB", "AAA"]),
        ("q=knd:x", []),
        ("region=Kanto", ["CCC"]),
        ("region=Kanto&q=bbb", []),
        ("region=Nowhere", []),
        ("state=closed", ["OLD"]),
        ("state=nonsense", ["CCC", "BBB", "AAA"]),
        ("page=2", []),
        ("page=%F0%9F%98%80", ["CCC", "BBB", "AAA"]),
    ],
)
def test_the_list_is_searched_and_filtered(page, some, fleet, query, expected):
    Site.objects.filter(code="AAA").update(name_ja="秋田")
    Site.objects.filter(code="BBB").update(address="1 Harbour Street")
    Region.objects.create(name="Kanto")
    Site.objects.filter(code="CCC").update(region="Kanto")
    change_tags(Site, [Site.objects.get(code="BBB").pk], add=("port",))
    operator = Attribute.objects.create(name="operator", label="Operator", subject="site")
    set_values(Site, [Site.objects.get(code="CCC").pk], {operator: "Example"})
    fleet.site("OLD", closed_at=now(-60))

    assert codes(page(f"/sites/?{query}")) == expected


def test_sites_outside_their_hours_and_in_maintenance_have_tabs(page, some, fleet):
    closed_now(Site.objects.get(code="AAA"))
    maintain(fleet.person("mei"), sites=[Site.objects.get(code="BBB")])

    seen = page("/sites/")

    assert (seen.text("count-closed-now"), seen.text("count-maintenance")) == ("1", "1")
    assert codes(page("/sites/?state=closed-now")) == ["AAA"]
    assert codes(page("/sites/?state=maintenance")) == ["BBB"]


@pytest.mark.parametrize(("role", "is_offered"), [("Lead", True), ("Operator", False)])
def test_import_and_export_are_offered_to_who_may(db, fleet, role, is_offered):
    fleet.site("SJK")
    person = people.person("someone", of=None)
    people.grant(person, role)

    links = HtmlPage(people.signed_in(person).get("/sites/")).links()

    assert ({"/import/?kind=sites", "/export/sites.csv", "/sites/new/"} <= links) is is_offered


def test_closed_sites_are_only_in_their_tab(page, some, fleet):
    fleet.site("OLD", closed_at=now(-60))

    seen = page("/sites/")

    assert "OLD" not in codes(seen)
    assert (seen.text("count-all"), seen.text("count-closed")) == ("3", "1")
    assert "closed since" in page("/sites/?state=closed").text("site-OLD")


def test_a_query_with_a_mistake_is_corrected_and_completed(page, browser, some):
    seen = page("/sites/?q=regionn:Kanto")
    typed = browser.get("/sites/?q=regionn:Kanto", headers=HTMX_HEADERS)
    options = browser.get("/suggestions/queries/sites/", {"q": "code:b", "cursor": "6"}).text

    assert "There is no field" in seen.text("query-problem")
    assert 'data-corrected="region:Kanto"' in seen.html
    assert (typed["HX-Retarget"], 'data-corrected="region:Kanto"' in typed.text) == ("#query-problem", True)
    assert "BBB" in options


def test_a_search_replaces_the_results_and_the_address(browser, some):
    answer = browser.get("/sites/?q=bbb&region=&order=impact", headers=HTMX_HEADERS)

    assert codes(HtmlPage(answer)) == ["BBB"]
    assert answer["HX-Replace-Url"] == "/sites/?q=bbb"


def test_people_see_the_sites_of_their_scope(client, some, fleet):
    person = people.person("near", of=None)
    people.grant(person, "Operator", site=Site.objects.get(code="BBB"))
    client.force_login(person)

    seen = HtmlPage(client.get("/sites/"))

    assert codes(seen) == ["BBB"]
    assert seen.text("count-all") == "1"
    assert "Chiba" not in seen.html
    assert client.get("/sites/CCC/").status_code == 404


def test_many_sites_are_on_several_pages(page, fleet):
    Site.objects.bulk_create(Site(code=f"S{n}", name=f"Site {n}") for n in range(230))

    first, third = page("/sites/"), page("/sites/?page=3")

    assert codes(first)[:2] == ["S0", "S1"]
    assert (len(codes(first)), len(codes(third))) == (100, 30)
    assert "/sites/?page=2" in first.links()
    assert third.text("foot").startswith("230 sites, 0 terminals")


def test_an_empty_tms_offers_the_first_site(page, db):
    seen = page("/sites/")

    assert seen.text("empty").startswith("No sites yet")
    assert "/sites/new/" in seen.links()


def some_days(site: Site, lost_s: int = 0, *, number: int = 30) -> None:
    """Days until yesterday, of ten hours; on the last of them some time was lost."""
    for back in range(1, number + 1):
        day = timezone.localdate() - timedelta(days=back)
        made = SiteDay.objects.create(
            site=site, day=day, begins_at=now(-back * 86_400), ends_at=now(-(back - 1) * 86_400), rolled_up_at=now()
        )
        KindDay.objects.create(
            site_day=made,
            site=site,
            day=day,
            kind="kiosk",
            terminals=1,
            counted_s=36_000,
            network_s=lost_s if back == 1 else 0,
        )


def test_the_availability_of_thirty_days_is_beside_each_site(page, some):
    some_days(Site.objects.get(code="AAA"))
    some_days(Site.objects.get(code="BBB"), lost_s=36_000)

    seen = page("/sites/")

    assert "100.00%" in seen.text("site-AAA")
    assert "96.66% below target" in seen.text("site-BBB")
    assert "96.66%" in page("/sites/BBB/").text("availability")


def test_availability_is_read_once_and_not_for_each_frame(some, django_assert_num_queries):
    opened = SitesPage(EVERYTHING, SiteFilter())
    before = opened.page_state(RenderContext(now(), EVERYTHING))
    some_days(Site.objects.get(code="AAA"))

    after = opened.page_state(RenderContext(now(), EVERYTHING), Change(presence=frozenset({1})), before)
    an_hour_later = opened.page_state(RenderContext(now(3_700), EVERYTHING), Change(presence=frozenset({1})), after)

    percent = [one.parts["site-AAA"].values["site"].availability.percent for one in (before, after, an_hour_later)]
    assert percent == ["", "", "100.00%"]


def test_a_full_list_takes_a_fixed_number_of_queries(some, fleet, tanaka, django_assert_max_num_queries):
    for number in range(20):
        fleet.online(site=fleet.site(f"X{number}"))
    page = SitesPage(EVERYTHING, SiteFilter())

    with django_assert_max_num_queries(25):
        page.page_state(RenderContext(now(), EVERYTHING))


# The page of a site


@pytest.fixture
def umeda(fleet) -> Site:
    site = fleet.site("UMD", name="Umeda", name_ja="梅田", region="Kansai", address="1-1 Kakuda-cho, Osaka")
    fleet.online(site=site, uid="UMD-GTE-01", kind="gate")
    fleet.with_presence("offline", site=site, uid="UMD-GTE-02", kind="gate", cause="connection_lost")
    fleet.online(site=site, uid="UMD-KSK-01", kind="kiosk", label="East hall")
    fleet.terminals(2, site=site, lifecycle="planned")
    fleet.online(site=fleet.site("FAR"), uid="FAR-1")
    return site


def test_the_page_composes_what_belongs_to_the_site(page, umeda, fleet):
    SiteContact.objects.create(site=umeda, name="Station office", phone="06-1234-5678")
    opens_at, closes_at = (timezone.localtime(now(hours * 3600)).time() for hours in (-1, 1))
    for day in range(7):
        OpeningHours.objects.create(site=umeda, weekday=day, opens_at=opens_at, closes_at=closes_at)
    SpecialDay.objects.create(site=umeda, first_on=timezone.localdate() + timedelta(days=9), note="Stocktaking")
    factories.alert(fleet, terminal=umeda.terminals.get(uid="UMD-GTE-02"))

    seen = page("/sites/UMD/")

    assert "1 offline of 3" in seen.text("state")
    assert "1-1 Kakuda-cho, Osaka" in seen.text("state")
    assert "UMD-GTE-02" in seen.text("unresolved")
    assert "3 in service 2 Planned" in seen.text("kinds")
    assert "Ticket gate 2 1 2 1 of 2 down" in seen.text("kinds")
    assert 'aria-label="UMD-GTE-02, Critical"' in seen.html
    assert "Station office" in seen.text("contacts")
    assert f"{opens_at:%H:%M} – {closes_at:%H:%M}" in seen.text("hours")
    assert "Stocktaking closed all day" in seen.text("hours")
    assert "No maintenance planned." in seen.text("maintenance")
    assert "FAR-1" not in seen.html


def test_terminals_are_listed_worst_first(page, umeda):
    seen = page("/sites/UMD/")

    assert seen.text(seen.rows("terminal-")[0]).startswith("UMD-GTE-02 Offline connection lost")
    assert seen.text("terminals-foot").startswith("3 of 3, worst first")


def test_every_panel_leads_to_the_page_of_this_site(page, umeda):
    links = page("/sites/UMD/").links()

    assert {
        "/terminals/?q=site:UMD",
        "/terminals/?q=site:UMD+kind:gate",
        "/terminals/?q=site:UMD+state:planned",
        "/alerts/?site=UMD",
        "/incidents/?site=UMD",
        "/availability/?where=site:UMD",
        "/maintenance/new/?site=UMD",
        "/sites/?region=Kansai",
        "/terminals/UMD-GTE-01/",
    } <= links


def test_the_incident_of_the_site_comes_first(page, fleet):
    incident = factories.incident(fleet, "SJK")

    seen = page("/sites/SJK/")

    assert incident.title in seen.text("unresolved")
    assert "Incident Critical" in seen.text("state")


def test_what_changes_a_site_is_offered_to_those_who_may(client, page, umeda):
    manager = people.person("manager", of="Manager")

    offered = page("/sites/UMD/").links()
    client.force_login(manager)
    offered_to_manager = HtmlPage(client.get("/sites/UMD/")).links()

    changes = {f"/sites/UMD/{name}/" for name in ("edit", "hours", "contacts", "close")}
    assert not changes & offered
    assert changes | {"/enrol/?site=UMD"} <= offered_to_manager


def test_a_closed_site_offers_to_reopen_it(client, umeda):
    Site.objects.filter(pk=umeda.pk).update(closed_at=now(-60))
    client.force_login(people.person("manager", of="Manager"))

    seen = HtmlPage(client.get("/sites/UMD/"))

    assert "Closed since" in seen.text("state")
    assert "/sites/UMD/reopen/" in seen.links()
    assert "/sites/UMD/close/" not in seen.links()


def test_a_group_shows_only_its_terminals_of_a_site(client, umeda, fleet):
    person = people.person("group", of=None)
    people.grant(person, "Operator", group=fleet.group("Gates", umeda.terminals.get(uid="UMD-GTE-01")))
    client.force_login(person)

    seen = HtmlPage(client.get("/sites/UMD/"))

    assert "UMD-GTE-01" in seen.html
    assert "UMD-GTE-02" not in seen.html
    assert "1 in service" in seen.text("kinds")


def test_only_changes_of_the_site_are_read(umeda, fleet, django_assert_num_queries):
    page = SitePage(EVERYTHING, umeda)
    before = page.page_state(RenderContext(now(), EVERYTHING))
    far = fleet.online(site=fleet.site("FAR"), uid="FAR-2")
    gate = umeda.terminals.get(uid="UMD-GTE-01")

    elsewhere = page.page_state(RenderContext(now(), EVERYTHING), Change(presence=frozenset({far.pk})), before)
    change(gate, presence="offline")
    here = page.page_state(RenderContext(now(), EVERYTHING), Change(presence=frozenset({gate.pk})), before)

    assert elsewhere.parts["kinds"] is before.parts["kinds"]
    assert here.parts["kinds"].values["blocks"] != before.parts["kinds"].values["blocks"]
    assert here.parts["hours"] is before.parts["hours"]


def test_the_page_ends_when_its_site_leaves_the_scope(umeda):
    scope = Scope.of(region="Kansai")
    page = SitePage(scope, umeda)
    page.page_state(RenderContext(now(), scope))
    Site.objects.filter(pk=umeda.pk).update(region="")

    with pytest.raises(Site.DoesNotExist):
        page.page_state(RenderContext(now(), scope))


def test_names_are_those_of_the_language(browser, umeda):
    Region.objects.update(name_ja="関西")

    html = browser.get("/sites/UMD/", headers={"Accept-Language": "ja"}).content.decode()

    assert "梅田" in html
    assert "関西" in html
