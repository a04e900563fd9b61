"""The tabs of the list of terminals: built-in and saved views, their numbers, and what is said of a changed one."""

import pytest
from django.core.cache import cache

from tests.support import people
from tests.support.pages import HTMX_HEADERS, HtmlPage, values_of
from tms.accounts.access.grant_scopes import GrantScope
from tms.boards.list_filters import saved_views
from tms.fleet.models import SavedView
from tms.fleet.saved_views.services import ViewValues, create_view

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def uncounted():
    """Numbers outlive a test."""
    cache.clear()


@pytest.fixture
def kiosks(fleet, tanaka):
    """A private view of Tanaka's, of two of three terminals."""
    fleet.online(uid="KSK-1", kind="kiosk")
    fleet.online(uid="KSK-2", kind="kiosk")
    fleet.online(uid="GTE-1", kind="gate")
    return create_view(ViewValues("Kiosks", "kind:kiosk", "uid,presence", "-firmware"), by=tanaka)


def shared(**values):
    boss = people.make_superuser(people.person("boss"))
    return create_view(ViewValues(**values, owner=GrantScope()), by=boss)


def current(seen):
    """The addresses of the current tabs."""
    return [of["href"] for tag, of in seen.elements if of.get("class") == "tab" and "aria-current" in of]


def actions(seen):
    """Whether *Save* and *Change view* are offered, and what the link says that saves the list as a new view."""
    html = seen.html
    new = "Save as" if "Save as" in seen.text("views") else "Save view" if "Save view" in seen.text("views") else ""
    return "/save/" in html, "Change view" in seen.text("views"), new


@pytest.mark.parametrize(
    ("query", "tab"),
    [
        ("", "/terminals/"),
        ("order=-seen", "/terminals/"),
        ("severity=any", "/terminals/?q=alert%3Aany"),
        ("lifecycle=retired", "/terminals/?q=state%3Aretired"),
        ("q=kind:gate", None),
        ("q=kind:kiosk&columns=uid,presence&order=-firmware", "{kiosks}"),
        ("q=kind:kiosk&order=-firmware", None),
        ("q=kind:kiosk&order=-firmware&view={pk}", "{kiosks}"),
        ("q=kind:gate&view={pk}", "{kiosks}"),
        ("q=kind:gate&view=999999", None),
        ("q=kind:gate&view=x", None),
    ],
)
def test_the_tab_of_the_list_is_current(page, kiosks, query, tab):
    seen = page(f"/terminals/?{query.format(pk=kiosks.pk)}")

    assert current(seen) == ([tab.format(kiosks=kiosks.address)] if tab else [])


def test_a_changed_list_says_so_and_can_be_saved_over_the_view_or_as_another(browser, page, kiosks):
    unchanged = page(kiosks.address)
    changed = page(f"/terminals/?q=kind:kiosk -uid:KSK-2&view={kiosks.pk}")

    saved = browser.post(f"/views/{kiosks.pk}/save/", {"q": "kind:kiosk -uid:KSK-2", "order": "site"})

    assert actions(unchanged) == (False, True, "Save view")
    assert actions(changed) == (True, False, "Save as")
    assert "modified" in changed.text(f"view-{kiosks.pk}")
    assert any(link.startswith("/views/new/?q=kind%3Akiosk+-uid") for link in changed.links())
    assert values_of(changed)["view"] == [str(kiosks.pk)]
    kiosks.refresh_from_db()
    assert (kiosks.query, kiosks.columns, kiosks.order) == ("kind:kiosk -uid:KSK-2", "", "site")
    assert saved["Location"] == kiosks.address


def test_a_shared_view_of_another_person_is_saved_as_ones_own_only(page, kiosks):
    view = shared(name="Gates", query="kind:gate")

    seen = page(f"/terminals/?q=kind:gate uid:GTE-1&view={view.pk}")

    assert seen.text(f"view-{view.pk}").startswith("Shared: Gates")
    assert actions(seen) == (False, False, "Save as")


def test_a_list_with_a_mistake_is_not_saved(page, kiosks):
    seen = page(f"/terminals/?q=knd:kiosk&view={kiosks.pk}")

    assert actions(seen) == (False, False, "")


def test_a_filter_that_was_changed_brings_its_tabs(browser, kiosks):
    answer = browser.get("/terminals/", {"q": "kind:gate", "view": kiosks.pk}, headers=HTMX_HEADERS)

    assert answer["HX-Replace-Url"] == f"/terminals/?q=kind:gate&view={kiosks.pk}"
    assert 'hx-swap-oob="outerMorph"' in answer.content.decode()
    assert "modified" in HtmlPage(answer).text(f"view-{kiosks.pk}")


def test_numbers_are_those_of_the_persons_own_scope_and_counted_once_a_minute(fleet, browser, page, kiosks):
    view = shared(name="Everything with a kind", query="kind:kiosk,gate")
    SavedView.objects.create(by=view.by, name="Broken", query="attr.gone:1", is_shared=True)
    local = people.person("local", of=None)
    people.grant(local, "Viewer", site=fleet.site("OSK"))
    fleet.online(uid="OSK-1", kind="kiosk", site=fleet.site("OSK"))

    mine = HtmlPage(browser.get("/views/numbers/"))
    theirs = HtmlPage(people.signed_in(local).get("/views/numbers/"))
    fleet.online(uid="KSK-3", kind="kiosk")
    kept = page("/terminals/")

    assert mine.text(f"view-{kiosks.pk}-number") == "3"
    assert mine.text(f"view-{view.pk}-number") == "4"
    assert f"view-{kiosks.pk}-number" not in theirs.ids
    assert theirs.text(f"view-{view.pk}-number") == "1"
    assert kept.text(f"view-{kiosks.pk}-number") == "3"
    assert "/views/numbers/" not in kept.html


def test_a_large_number_is_capped_and_few_views_are_counted(browser, kiosks, tanaka, monkeypatch):
    monkeypatch.setattr(saved_views, "MAX_COUNTED", 1)
    monkeypatch.setattr(saved_views, "MAX_NUMBERED_VIEWS", 1)
    create_view(ViewValues("Zebra", "kind:kiosk"), by=tanaka)

    seen = HtmlPage(browser.get("/views/numbers/"))

    assert [seen.text(element) for element in seen.rows("view-")] == ["1+"]


def test_the_tab_of_the_current_view_is_shown_among_many(page, kiosks, tanaka, monkeypatch):
    monkeypatch.setattr(saved_views, "MAX_TABS", 2)
    for name in ("Gates", "Hall", "Zebra"):
        create_view(ViewValues(name, f"location:{name}"), by=tanaka)
    zebra = SavedView.objects.get(name="Zebra")

    seen = page(zebra.address)

    assert [seen.text(element) for element in seen.rows("view-") if "number" not in element] == ["Gates", "Zebra"]
    assert "2 more views" in seen.text("views")


def test_the_page_of_all_views_says_for_whom_each_is(page, kiosks):
    view = shared(name="Gates", query="kind:gate")

    seen = page("/views/")

    assert {kiosks.address, view.address, f"/views/{kiosks.pk}/"} <= seen.links()
    assert f"/views/{view.pk}/" not in seen.links()
    assert "Only you" in seen.html
    assert "everyone" in seen.html
