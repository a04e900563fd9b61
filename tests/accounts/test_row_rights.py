"""Each action needs its permission for the row that it is about: on the pages and in REST."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.support import factories, people
from tests.support.builders import Fleet
from tests.support.database.shared_rows import shared_rows
from tests.support.factories import now
from tests.support.rest import ApiClient
from tms.accounts.models import User
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert, Rule
from tms.commands.models import Command
from tms.fleet.models import Site
from tms.lib.calendar.recurrence import Recurrence
from tms.notifications.models import Delivery, DeliveryItem, Destination, Policy, Rotation
from tms.notifications.models.delivery import GIVE_UP_AFTER, DeliveryState
from tms.shifts.models import Note

MINE, SEEN, HIDDEN = "MINE", "SEEN", "HIDDEN"
"""Sites: Mori leads the first, sees the second, and has no grant for the third."""


class Rows(NamedTuple):
    """What belongs to a site."""

    site: Site
    alert: Alert
    incident: Any
    rule: Rule
    window: Any
    destination: Destination
    policy: Policy
    rotation: Rotation
    delivery: Delivery
    note: Note


def rows_of(fleet: Fleet, code: str, author: User) -> Rows:
    site = fleet.site(code)
    rule = fleet.event_rule(name=f"Rule {code}", site=site, may_be_resolved_by_hand=True)
    alert = factories.alert(fleet, terminal=fleet.online(uid=f"T-{code}", site=site), rule=rule)
    begin = now(-60).replace(tzinfo=None, microsecond=0)
    recurrence = Recurrence(ZoneInfo("UTC"), begin, timedelta(hours=1), "FREQ=DAILY")
    destination = Destination.objects.create(name=code, kind="email", address="a@example.com", owner_site=site)
    delivery = Delivery.objects.create(
        key=code,
        destination=destination,
        kind="opened",
        language="en",
        state=DeliveryState.DEAD,
        created_at=now(),
        due_at=now(),
        give_up_at=now() + GIVE_UP_AFTER,
    )
    DeliveryItem.objects.create(delivery=delivery, alert=alert)
    return Rows(
        site=site,
        alert=alert,
        incident=factories.incident(fleet, code),
        rule=rule,
        window=services.plan(recurrence, WindowScope(sites=[site]), note=code, by=None, at=now()),
        destination=destination,
        policy=Policy.objects.create(name=code, owner_site=site),
        rotation=Rotation.objects.create(name=code, starts_on=date(2026, 11, 23), handover_at="09:00", owner_site=site),
        delivery=delivery,
        note=Note.objects.create(text=code, by=author, at=now(), owner_site=site),
    )


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker) -> Iterator[tuple[User, dict[str, Rows]]]:
    """Mori, and the rows of each site."""
    with shared_rows(django_db_blocker):
        fleet, mori = Fleet(), people.person("mori", of=None)
        people.grant(mori, "Lead", site=fleet.site(MINE))
        people.grant(mori, "Viewer", site=fleet.site(SEEN))
        yield mori, {code: rows_of(fleet, code, mori) for code in (MINE, SEEN, HIDDEN)}


@pytest.fixture
def rows(made, db, no_rules_cached) -> dict[str, Rows]:
    return made[1]


@pytest.fixture
def browser(made, db) -> Client:
    client = Client()
    client.force_login(made[0])
    return client


@pytest.fixture
def rest(made, db, settings) -> ApiClient:
    settings.API_PER_MINUTE = settings.API_BURST = 100_000
    return ApiClient.of(made[0])


FORMS = [
    "/terminals/T-{site.code}/commands/",
    "/alerts/{alert.pk}/acknowledge/",
    "/incidents/{incident.pk}/acknowledge/",
    "/rules/{rule.pk}/",
    "/rules/{rule.pk}/switch/",
    "/rules/{rule.pk}/delete/",
    "/maintenance/{window.pk}/end/",
    "/maintenance/{window.pk}/extend/",
    "/maintenance/{window.pk}/cancel/",
    "/destinations/{destination.pk}/",
    "/destinations/{destination.pk}/test/",
    "/destinations/{destination.pk}/delete/",
    "/policies/{policy.pk}/",
    "/policies/{policy.pk}/delete/",
    "/rotations/{rotation.pk}/",
    "/rotations/{rotation.pk}/covers/",
    "/rotations/{rotation.pk}/delete/",
    "/deliveries/{delivery.pk}/again/",
    "/digest/notes/{note.pk}/",
]
OPERATIONS = [
    ("post", "/alerts/{alert.pk}/acknowledge", {}),
    ("post", "/incidents/{incident.pk}/acknowledge", {}),
    ("post", "/rules/{rule.pk}/switch", {"enabled": False}),
    ("post", "/maintenance/{window.pk}/cancel", {}),
    ("patch", "/destinations/{destination.pk}", {"name": "New"}),
    ("patch", "/policies/{policy.pk}", {"delay_s": 5}),
    ("patch", "/rotations/{rotation.pk}", {"every_days": 3}),
    ("post", "/deliveries/{delivery.pk}/again", {}),
    ("patch", "/notes/{note.pk}", {"text": "New"}),
    ("delete", "/notes/{note.pk}", None),
    ("patch", "/sites/{site.code}/hours", {"on_holidays": "closed"}),
]


@pytest.mark.parametrize("address", FORMS)
def test_a_page_changes_what_the_permission_covers(browser, rows, address):
    answers = {code: browser.post(address.format(**of._asdict())) for code, of in rows.items()}

    codes = {code: answer.status_code for code, answer in answers.items()}
    assert (codes[SEEN], codes[HIDDEN]) == (403, 404)
    assert codes[MINE] in {200, 302, 422}


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_an_operation_changes_what_the_permission_covers(rest, rows, method, path, body):
    answers = {code: rest.send(method.upper(), path.format(**of._asdict()), body) for code, of in rows.items()}

    codes = {code: answer.status_code for code, answer in answers.items()}
    assert (codes[SEEN], codes[HIDDEN]) == (403, 404)
    assert codes[MINE] in {200, 204, 422}


def test_a_bulk_action_skips_alerts_that_may_only_be_read(browser, rest, rows):
    pks = [of.alert.pk for of in rows.values()]

    browser.post("/alerts/acknowledge/", {"alert": pks, "contract": "recovery"})
    rest.post("/alerts/comment", {"selection": {"ids": pks}, "comment": "Checked"})

    changed = {alert.terminal.site.code: (alert.state, alert.comment) for alert in Alert.objects.filter(pk__in=pks)}
    assert changed == {MINE: ("acknowledged", "Checked"), SEEN: ("open", ""), HIDDEN: ("open", "")}


def test_new_rows_belong_to_a_scope_of_their_author(rest, rows):
    note = {"text": "Quiet", "owner": {"site": MINE}}

    answers = [
        rest.post("/notes", note),
        rest.post("/notes", {"text": "For all"}),
        rest.post("/notes", {"text": "Theirs", "owner": {"site": SEEN}}),
        rest.post("/notes", {"text": "Theirs", "owner": {"site": HIDDEN}}),
    ]

    assert [answer.status_code for answer in answers] == [201, 403, 403, 422]


def test_rules_and_windows_are_made_for_what_the_permission_covers(rest, rows):
    rule = {"name": "New", "kind": "event", "event_code": "door", "severity": "warning"}
    window = {"note": "Works", "starts_at": "2030-01-01T02:00:00", "ends_at": "2030-01-01T03:00:00"}

    made = {
        code: (
            rest.post("/rules", rule | {"name": f"New {code}", "site": code}).status_code,
            rest.post("/maintenance", window | {"sites": [code]}).status_code,
        )
        for code in rows
    }

    assert made == {MINE: (201, 201), SEEN: (403, 403), HIDDEN: (422, 422)}
    assert rest.post("/rules", rule).status_code == 403


def test_settings_of_the_whole_fleet_need_a_permission_for_everything(browser, rest, rows):
    answers = [
        browser.post("/rules/correlation/", {"defaults": "1"}),
        browser.post("/rules/import/", {"text": "rules: []"}),
        rest.send("DELETE", "/correlation"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_choices_offer_what_the_person_sees_or_may_change(browser, rows):
    people.grant(people.person("sato", of=None), site=rows[HIDDEN].site)
    people.grant(people.person("kato", of=None), site=rows[SEEN].site)

    assign, plan = f"/alerts/{rows[MINE].alert.pk}/assign/", "/maintenance/new/"
    asked = (assign, plan, "/policies/new/", "/rotations/new/")
    pages = {address: browser.get(address).content.decode() for address in asked}
    for suggestions in re.findall('data-suggestions="([^"]+)"', pages[plan]):
        pages[plan] += browser.get(html.unescape(suggestions)).content.decode()

    assert all(f"Site {HIDDEN}" not in page and "sato" not in page for page in pages.values())
    assert "kato" in pages[assign]
    assert f"Site {MINE}" in pages[plan]
    assert f"Site {SEEN}" not in pages[plan]


def test_a_command_to_a_terminal_that_may_only_be_read_is_not_queued(browser, rows):
    browser.post(
        f"/terminals/T-{SEEN}/commands/", {"name": "ping", "answer_within_s": "30", "deliver_within_s": "3600"}
    )

    assert not Command.objects.exists()


def test_who_has_no_owner_to_choose_makes_nothing_for_everyone(rows):
    """The region of the grant has no site any more."""
    leader = people.person("leader", of=None)
    people.grant(leader, "Lead", region="Closed down")

    opened = people.signed_in(leader).get("/policies/new/")
    answer = people.signed_in(leader).post("/digest/notes/", {"text": "for everyone"})

    assert (opened.status_code, answer.status_code) == (200, 422)
    assert not Note.objects.filter(text="for everyone").exists()
