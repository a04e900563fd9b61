"""The global search: what it finds, in which order, for whom, and which actions it offers."""

import re
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support import factories, people
from tests.support.factories import now
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HTMX_HEADERS, HtmlPage
from tms.accounts import api_tokens
from tms.accounts.models import Team
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.lib.calendar.recurrence import Recurrence
from tms.notifications.models.policy import Policy
from tms.notifications.models.rotation import Rotation

pytestmark = [pytest.mark.both, pytest.mark.embedded]
TITLE = re.compile(r"<b><bdi>(.*?)</bdi></b>", re.DOTALL)


@pytest.fixture
def umeda(fleet):
    return fleet.site("UMD", name="Umeda", name_ja="梅田", region="Kansai")


@pytest.fixture
def everything(fleet, umeda):
    """One row of each kind, all of them called something with `zebra` or at Umeda."""
    kiosk = fleet.online(uid="UMD-KSK-1", site=umeda, label="Zebra hall")
    fleet.with_presence("offline", uid="UMD-KSK-2", site=umeda, label="Zebra hall")
    rule = fleet.metric_rule(name="Zebra heat", severity="critical")
    alert = factories.alert(fleet, terminal=kiosk, rule=rule)
    begin = now(-60).replace(tzinfo=None, microsecond=0)
    recurrence = Recurrence(ZoneInfo("UTC"), begin, timedelta(hours=1))
    boss = people.person("zebra-boss", of="Manager")
    maintenance.plan(recurrence, WindowScope(sites=[umeda]), note="Zebra repair", by=boss, at=now())
    webhook_destination("https://hooks.example/x", name="Zebra hook")
    Policy.objects.create(name="Zebra policy")
    Rotation.objects.create(name="Zebra rotation", starts_on=now().date(), handover_at=time(9))
    Team.objects.create(name="Zebra team")
    return alert


def browser_of(person):
    browser = Client()
    browser.force_login(person)
    return browser


def found(browser, text, **query):
    """Group → titles, as the dialog shows them."""
    answer = browser.get("/search/", {"q": text, **query}, headers=HTMX_HEADERS)
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "<html" not in html
    groups = re.split(r'aria-labelledby="found-(\w+)"', html)[1:]
    plain = re.compile(r"<[^>]+>")
    return {
        name: [plain.sub("", title) for title in TITLE.findall(body)]
        for name, body in zip(groups[::2], groups[1::2], strict=True)
    }


@pytest.fixture
def operator(db):
    return browser_of(people.person("operator", of="Operator"))


def test_each_kind_of_row_is_found_by_its_name(everything):
    groups = found(browser_of(people.make_superuser(people.person("root"))), "zebra")

    assert groups == {
        "rules": ["Zebra heat"],
        "windows": ["Zebra repair"],
        "destinations": ["Zebra hook"],
        "policies": ["Zebra policy"],
        "rotations": ["Zebra rotation"],
        "people": ["zebra-boss"],
        "teams": ["Zebra team"],
        "terminals": ["UMD-KSK-1", "UMD-KSK-2"],
        "alerts": ["Umeda: Zebra heat"],
        "actions": groups["actions"],
    }


@pytest.mark.parametrize(
    ("text", "group", "first"),
    [
        ("umd", "sites", "Umeda"),
        ("梅田", "sites", "Umeda"),
        ("ＵＭＤ", "sites", "Umeda"),
        ("kansai", "sites", "Umeda"),
        ("u", "sites", "Umeda"),
        ("umd-ksk-2", "terminals", "UMD-KSK-2"),
        ("hall umeda", "terminals", "UMD-KSK-1"),
        ("umeda heat", "alerts", "Umeda: Zebra heat"),
        ("digest", "pages", "Shift digest"),
        ("theme dark", "actions", "Theme: dark"),
        ("ack heat", "actions", "Acknowledge: alert {alert}"),
        ("{alert}", "alerts", "Umeda: Zebra heat"),
        ("#{alert}", "alerts", "Umeda: Zebra heat"),
        ("maintenance umd", "actions", "Plan maintenance for Umeda…"),
        ("> umd-ksk-1", "actions", "Plan maintenance for UMD-KSK-1…"),
    ],
)
def test_the_best_hit_comes_first(operator, everything, text, group, first):
    groups = found(operator, text.format(alert=everything.pk))

    assert next(iter(groups)) == group
    assert groups[group][0] == first.format(alert=everything.pk)


@pytest.mark.parametrize("text", ["", ">", "no such thing anywhere", "x" * 500, "%", "_", "\\", "> > >", "'\""])
def test_any_text_is_answered(operator, everything, text):
    found(operator, text)


def test_an_incident_is_found_by_its_number_with_its_actions(operator, fleet):
    incident = factories.incident(fleet, "OSK")

    assert "Site OSK" in found(operator, str(incident.pk))["incidents"][0]
    assert found(operator, str(incident.pk))["actions"][0] == f"Acknowledge: incident {incident.pk}"


def test_the_actions_of_one_hit_are_those_that_the_person_may_do(everything):
    viewer, operator = (browser_of(people.person(name, of=name)) for name in ("Viewer", "Operator"))
    about = f"alert:{everything.pk}"

    assert found(viewer, "", about=about) == {}
    assert f"Snooze: alert {everything.pk}" in found(operator, "", about=about)["actions"]
    assert not [title for title in found(viewer, "umeda").get("actions", []) if "Umeda" in title]


def test_people_find_only_what_their_scope_covers(everything, fleet):
    fleet.online(uid="SJK-KSK-1", label="Zebra hall")
    person = people.person("mori", of=None)
    people.grant(person, "Operator", site=fleet.site("SJK"))

    groups = found(browser_of(person), "zebra")

    assert groups["terminals"] == ["SJK-KSK-1"]
    assert not {"alerts", "windows", "people", "teams"} & groups.keys()
    assert found(browser_of(person), "", about=f"alert:{everything.pk}") == found(browser_of(person), "")


def test_the_page_works_without_javascript(operator, everything):
    seen = HtmlPage(operator.get("/search/?q=umd-ksk"))

    assert "/terminals/UMD-KSK-2/" in seen.links()
    assert 'role="option"' not in seen.html.partition('id="main"')[2].partition("</main>")[0]


def test_the_number_of_queries_does_not_depend_on_the_fleet(operator, fleet, umeda):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            found(operator, "umd")
        return len(captured)

    fleet.online(uid="UMD-1", site=umeda)
    fleet.online(uid="UMD-2", site=umeda)
    fleet.online(uid="UMD-3", site=umeda)
    before = queries()
    for n in range(4, 40):
        fleet.online(uid=f"UMD-{n}", site=umeda)

    # The number of terminals is counted once they are not all shown.
    assert queries() <= before + 1


def test_hostile_text_is_escaped_and_marked(operator, fleet):
    fleet.online(uid="T-1", label="<img src=x onerror=alert(1)>")

    html = operator.get("/search/?q=onerror", headers=HTMX_HEADERS).content.decode()

    assert "<img" not in html
    assert "<mark>onerror</mark>" in html


def test_integrators_search_over_rest(client, everything):
    person = people.person("script", of="Viewer")
    token = api_tokens.issue(person, name="script", at=now())[1]

    answer = client.get("/api/v1/search?q=umeda&limit=1", headers={"Authorization": f"Bearer {token}"})

    groups = {group["name"]: group for group in answer.json()["groups"]}
    assert groups["sites"]["hits"][0] | {"since": None} == {
        "kind": "site",
        "name": "UMD",
        "title": "Umeda",
        "detail": "UMD, 2 terminals",
        "since": None,
        "url": "/sites/UMD/",
    }
    assert (groups["terminals"]["total"], len(groups["terminals"]["hits"])) == (2, 1)
