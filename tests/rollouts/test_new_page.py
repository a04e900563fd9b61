"""The page of a new rollout: its preview, its errors, and what it makes."""

from typing import Any

import pytest
from django.test import Client

from tests.support import people
from tests.support.artifacts import make_artifact
from tests.support.builders import AT
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.artifacts.models import Artifact
from tms.configuration import versions
from tms.configuration.models import ConfigurationKey, Layer
from tms.configuration.places import Place
from tms.configuration.versions import ValueEdit
from tms.fleet.models import Region
from tms.rollouts.models import Rollout, RolloutState

pytestmark = pytest.mark.both


@pytest.fixture
def lead(fleet):
    return people.person("lead", of="Manager")


@pytest.fixture
def browser(lead) -> Client:
    return people.signed_in(lead)


@pytest.fixture
def artifact(db: None) -> Artifact:
    return make_artifact()


def form(artifact: Artifact, /, **values: Any) -> dict[str, Any]:
    chosen = {
        "kind": "artifact",
        "artifact": artifact.pk,
        "name": "Kiosk firmware 4.8.3",
        "by": "query",
        "q": "kind:kiosk",
        "late": "last_wave",
        "starts_at": "2096-11-25 09:00",
        "until": "2096-12-09 09:00",
        "hours": "closed",
        "at_once": 40,
        "per_site": 1,
        "approval": "none",
        "postpone_limit": 3,
        "postpone_s": "15 min",
        "postponed_then": "closing",
        "mobile_mb": 0,
        "measures": ["restarts", "memory"],
        "failed_pct": 2,
        "failed_after": 20,
        "wave_kind": ["canary", "share", "rest", "held_back"],
        "wave_size": ["1", "50", "", ""],
        "wave_watch": ["", "4", "", ""],
    }
    return chosen | values


def test_the_preview_follows_with_the_number_of_each_wave(fleet, browser, artifact):
    site = fleet.site()
    for _ in range(6):
        fleet.terminal(site=site, kind="kiosk", model="KX-21", features=["update"])
    fleet.terminal(site=site, kind="kiosk", model="KX-21")

    answer = HtmlPage(browser.post("/rollouts/new/preview/", form(artifact), headers=HTMX_HEADERS))

    assert answer.text("preview-targets") == "6 at 1 site"
    assert "1 more matches but cannot get it" in answer.text("preview-notes")
    assert answer.text("smallest-effects")
    assert [answer.text(f"wave-{number}-number") for number in (1, 2, 3, 4)] == ["1", "3", "1", "1"]
    assert "only large effects" in answer.text("small-fleet")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"artifact": ""}, "Choose what the terminals get."),
        ({"q": ""}, "Enter a query"),
        ({"until": "2096-11-24 09:00"}, "It must end after its start."),
        ({"wave_size": ["0", "50", "", ""]}, "From 1 to 100."),
        ({"by": "terminals"}, "Choose terminals."),
    ],
)
def test_what_is_wrong_stands_at_its_field(fleet, browser, artifact, changes, expected):
    answer = browser.post("/rollouts/new/", form(artifact, **changes))

    assert answer.status_code == 422
    assert expected in answer.content.decode()
    assert not Rollout.objects.exists()


def test_a_draft_is_kept_and_can_be_deleted(fleet, browser, artifact):
    fleet.terminal(kind="kiosk")

    answer = browser.post("/rollouts/new/", form(artifact, is_draft="1"))

    made = Rollout.objects.get()
    assert answer.headers["Location"] == made.get_absolute_url()
    assert made.state == RolloutState.DRAFT
    assert [wave.watch_hours for wave in made.waves.all()] == [None, 4.0, None, None]
    assert browser.post(f"/rollouts/{made.pk}/discard/").status_code == 302
    assert not Rollout.objects.exists()


def test_a_large_rollout_is_typed_where_nobody_can_approve_it(fleet, browser, artifact, settings):
    settings.APPROVAL_TERMINALS = 2
    fleet.terminals(3, kind="kiosk")

    asked = browser.post("/rollouts/new/", form(artifact))
    answer = browser.post("/rollouts/new/", form(artifact, is_confirmed="1", typed="3"))

    made = Rollout.objects.get()
    assert (asked.status_code, answer.headers["Location"]) == (200, made.get_absolute_url())
    assert (made.state, made.first_number) == (RolloutState.PLANNED, 3)


def test_waves_are_added_before_the_rest_and_removed(fleet, browser, artifact):
    added = HtmlPage(browser.post("/rollouts/new/preview/", form(artifact, add_wave="share"), headers=HTMX_HEADERS))
    removed = HtmlPage(browser.post("/rollouts/new/preview/", form(artifact, remove_wave="1"), headers=HTMX_HEADERS))

    def kinds(page: HtmlPage) -> list[str | None]:
        return [attributes["value"] for _, attributes in page.elements if attributes.get("name") == "wave_kind"]

    assert kinds(added) == ["canary", "share", "share", "rest", "held_back"]
    assert kinds(removed) == ["canary", "rest", "held_back"]


def test_the_address_fills_the_form_in(fleet, browser, artifact):
    page = browser.get("/rollouts/new/", {"artifact": artifact.pk, "q": "site:SJK"}).content.decode()

    assert 'value="kiosk-firmware 4.8.3"' in page
    assert 'value="site:SJK"' in page


def test_an_artifact_is_first_for_all_terminals_of_its_models(fleet, browser):
    page = browser.get("/rollouts/new/", {"artifact": make_artifact(models=("KX-20", "KX 21")).pk})

    assert HtmlPage(page).attribute("q", "value") == 'model:KX-20,"KX 21"'


def test_a_version_is_first_for_the_terminals_at_the_places_that_it_changes(fleet, lead, browser):
    site = fleet.site("SJK", region="Kanto")
    key = ConfigurationKey.objects.create(name="display.brightness", schema={"type": "integer"})
    region = Region.objects.get(name="Kanto")
    places = (Place(Layer.REGION, region.pk), Place(Layer.SITE, site.pk))
    draft = versions.edit([ValueEdit(key, place, 70) for place in places], by=lead, at=AT)
    versions.fix(draft, by=lead, at=AT)

    page = HtmlPage(browser.get("/rollouts/new/", {"version": draft.number}))

    assert page.attribute("q", "value") == "region:Kanto or site:SJK"


def test_who_may_not_run_rollouts_does_not_get_the_page(fleet, artifact):
    viewer = people.signed_in(people.person("viewer", of="Viewer"))

    assert viewer.get("/rollouts/new/").status_code == 403
    assert viewer.post("/rollouts/new/preview/", form(artifact)).status_code == 403
    assert "New rollout" not in viewer.get("/rollouts/").content.decode()
