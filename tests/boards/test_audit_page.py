"""The page of the audit trail: filters, pages, the state of the chain, new entries and exports."""

import ast
import csv
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.test import Client
from django.utils import translation

from tests.support import people
from tests.support.builders import now
from tests.support.inventory import CODE
from tests.support.pages import streamed
from tests.support.rest import ApiClient, problem_of
from tms.accounts.audit import anchors, monitor, recorder, sealing
from tms.accounts.audit.recorder import AuditSubject
from tms.accounts.models import AuditCheck, AuditEntry, User
from tms.accounts.models.audit_entry import Via
from tms.alerts.actions.registry import ACTIONS
from tms.boards.audit.labels import action_label, field_label

pytestmark = [pytest.mark.both, pytest.mark.django_db]
RULE = "alerts.rule"
CONFIGURED = (
    *("accounts.apitoken", "accounts.grant", "accounts.identityprovider", "accounts.role", "accounts.team"),
    *("accounts.user", "accounts.wallscreen", "alerts.correlationrule", "alerts.samerulecorrelation", RULE),
    *("alerts.window", "availability.availabilitytarget", "fleet.group", "fleet.openinghours", "fleet.site"),
    *("fleet.sitecontact", "fleet.specialday", "fleet.terminal", "notifications.cover", "notifications.destination"),
    *("notifications.devicepreferences", "notifications.digestplan", "notifications.member", "notifications.policy"),
    *("notifications.pushdevice", "notifications.reportplan", "notifications.rotation", "notifications.step"),
)
"""Kinds of objects that people configure."""


@pytest.fixture
def auditor(fleet) -> User:
    return User.objects.create_superuser("kimura", first_name="Ren", last_name="Kimura")


@pytest.fixture
def browser(auditor) -> Client:
    client = Client()
    client.force_login(auditor)
    AuditEntry.objects.all().delete()
    return client


def entry(subject: str = "CPU too hot", **fields: object) -> AuditEntry:
    values = {"via": Via.PAGE, "action": "changed", "subject_type": RULE, "subject_id": "7", "subject_name": subject}
    return AuditEntry.objects.create(**values | {"actor_name": "mori", "address": "10.20.4.12"} | fields)


def shown(browser: Client, query: str = "") -> list[str]:
    """The IDs of the rows."""
    page = browser.get(f"/audit/?{query}").content.decode()
    return [part.partition('"')[0] for part in page.split('id="entry-')[1:]]


def test_the_person_shown_is_the_one_in_the_chain(browser, auditor):
    """Its hash does not cover the foreign key."""
    made = entry(actor=auditor, actor_name="kimura")
    sealing.seal(now())
    AuditEntry.objects.filter(pk=made.pk).update(actor=people.person("bob", of=None, last_name="Ito"))

    row = browser.get("/audit/").content.decode().partition(f'id="entry-{made.pk}"')[2].partition("</tr>")[0]

    assert "Ito" not in row
    assert "<bdi>kimura</bdi>" in row


def test_an_entry_shows_who_did_what_from_where_and_why(browser, auditor):
    made = entry(
        actor=auditor,
        actor_name="kimura",
        changes={"limit": [80, 85], "duration_s": [30, 60], "hysteresis": [3, 5]},
        comment="31 alerts in November",
    )
    sealing.seal(now())

    page = browser.get("/audit/").content.decode()

    made.refresh_from_db()
    for text in ("R. Kimura", "Changed", "CPU too hot", "10.20.4.12", "31 alerts in November", "80", "85", "+1"):
        assert text in page
    assert f"{made.hash[:4]}…{made.hash[-4:]}" in page
    assert 'href="/rules/7/"' in page


def exported(browser: Client, query: str) -> str:
    return streamed(browser.get(f"/audit/export/?{query}"))


FILTERS: list[tuple[str, Callable[[], AuditEntry]]] = [
    ("q=cpu", entry),
    ("q=MORI", lambda: entry("other")),
    ("q=10.20.4.12", lambda: entry("other")),
    ("q=billing", lambda: entry("other", token_name="billing")),
    ("who=mori", lambda: entry("other")),
    ("what=changed", lambda: entry("other")),
    ("what=configuration", lambda: entry("other")),
    ("what=sign-ins", lambda: entry("mori", action="signed-in", subject_type="accounts.user")),
    ("what=people", lambda: entry("mori", subject_type="accounts.user")),
    ("what=alerts", lambda: entry("4129", action="acknowledged", subject_type="alerts.incident")),
    ("what=commands", lambda: entry("T-1", action="commanded", subject_type="fleet.terminal")),
    ("what=exports", lambda: entry("", action="exported")),
    ("what=chain", lambda: entry("2026-11-24", action="anchored", subject_type="accounts.auditday")),
    ("kind=alerts.rule&object=7", lambda: entry("other")),
    ("via=page", lambda: entry("other")),
    ("address=10.20.4.12", lambda: entry("other")),
    ("address=::ffff:a14:40c", lambda: entry("other", address="::ffff:10.20.4.12")),
]


@pytest.mark.parametrize(("query", "make"), FILTERS, ids=[query for query, _ in FILTERS])
def test_a_filter_shows_the_entries_that_match(browser, query, make):
    made = make()
    entry(
        "unlike",
        actor_name="sato",
        address="10.0.0.1",
        via=Via.COMMAND,
        action="restored" if "configuration" not in query else "exported",
        subject_type="notifications.policy",
        subject_id="8",
    )

    assert shown(browser, query) == [str(made.pk)]


NONSENSE = ("q=%00", "who=%00", "kind=%00&object=1", "object=x", "span=x", "before=x", "via=x", "since=x")


@pytest.mark.parametrize("query", NONSENSE)
def test_a_filter_that_means_nothing_is_ignored_or_finds_nothing(browser, query):
    entry()

    assert browser.get(f"/audit/?{query}").status_code in (200, 400)


def test_the_page_begins_with_today_and_older_entries_are_a_period_away(browser):
    old, new = entry("old"), entry("new")
    AuditEntry.objects.filter(pk=old.pk).update(at=now() - timedelta(days=3))

    since, until = (f"{now() - timedelta(days=days):%Y-%m-%dT%H:%M}" for days in (4, 2))

    assert shown(browser) == [str(new.pk)]
    assert shown(browser, "span=7d") == [str(new.pk), str(old.pk)]
    assert shown(browser, f"since={since}&until={until}&zone=UTC") == [str(old.pk)]


def test_a_page_continues_where_the_one_before_ended(browser):
    made = [entry(f"rule {n}").pk for n in range(60)]

    first, second = shown(browser), shown(browser, f"before={made[10]}")

    assert [int(pk) for pk in first + second] == made[::-1]


def test_a_long_page_needs_as_few_queries_as_a_short_one(browser, auditor, django_assert_max_num_queries):
    for n in range(50):
        entry(f"rule {n}", actor=auditor)
    sealing.seal(now())

    with django_assert_max_num_queries(22):
        browser.get("/audit/")


def test_new_entries_are_counted_for_the_same_filter(browser):
    newest = entry().pk
    entry("another")
    entry("policy", subject_type="notifications.policy")

    page = browser.get(f"/audit/new/?kind={RULE}&after={newest}").content.decode()

    assert "1 new entry" in page
    assert f"after={newest}" in page
    assert "new entr" not in browser.get(f"/audit/new/?after={AuditEntry.objects.latest('pk').pk}").content.decode()


def test_the_page_says_when_the_chain_was_verified_and_anchored(browser, settings):
    entry()
    sealing.seal(now())
    anchors.write_due(now())
    monitor.verify_some(now())

    page = browser.get("/audit/").content.decode()

    assert "Chain verified" in page
    assert "to the log" in page


def test_the_page_links_to_the_first_bad_entry(browser):
    made = entry()
    sealing.seal(now())
    AuditEntry.objects.update(comment="edited")
    monitor.verify_some(now())

    page = browser.get("/audit/").content.decode()

    assert AuditCheck.objects.get().is_broken
    assert "Chain broken" in page
    assert f"#entry-{made.pk}" in page


def test_an_export_has_all_entries_that_match_and_is_recorded(browser):
    entry("first")
    entry("policy", subject_type="notifications.policy")
    entry("=1+1")

    rows = list(csv.DictReader(StringIO(exported(browser, f"kind={RULE}&format=csv"))))
    lines = exported(browser, f"kind={RULE}").splitlines()

    assert [row["subject_name"] for row in rows] == ["first", "'=1+1"]
    assert [json.loads(line)["subject_name"] for line in lines] == ["first", "=1+1"]
    latest = AuditEntry.objects.filter(action="exported").first()
    assert latest.changes["filter"] == [None, f"kind={RULE}&span=today"]


@pytest.mark.parametrize("path", ["/audit/", "/audit/new/", "/audit/export/"])
def test_only_people_with_the_permission_read_it(fleet, path):
    client = Client()
    client.force_login(people.person("mori", of="Operator"))

    assert client.get(path).status_code == 403
    assert "/audit/" not in client.get("/").content.decode()


def test_the_page_of_a_rule_shows_its_changes(browser, fleet):
    rule = fleet.metric_rule(limit=60)
    recorder.write(AuditSubject(RULE, str(rule.pk), "x"), "changed", {"limit": (60, 65)}, comment="Too many")
    viewer = Client()
    viewer.force_login(people.person("mori", of="Viewer"))

    page = browser.get(rule.get_absolute_url()).content.decode()

    assert "Too many" in page
    assert f"/audit/?kind={RULE}&amp;object={rule.pk}" in page
    assert "Too many" not in viewer.get(rule.get_absolute_url()).content.decode()


def test_rows_that_belong_to_a_row_are_shown_with_the_names_of_their_fields(browser):
    step = {"position": 1, "after_s": 300, "destinations": ["NOC"], "rotations": []}
    entry(
        "Nights", subject_type="notifications.policy", changes={"steps": [[], [step]], "severities": [[], ["critical"]]}
    )

    page = browser.get("/audit/", headers={"Accept-Language": "ja"}).content.decode()

    assert "経過（秒） 300" in page
    assert "通知先 NOC" in page


@pytest.mark.parametrize("kind", CONFIGURED)
def test_every_field_of_a_configuration_has_a_japanese_name(kind):
    fields = [field for field in apps.get_model(kind)._meta.get_fields() if not field.auto_created]

    with translation.override("ja"):
        labels = {field.name: field_label(kind, field.name) for field in fields if field.name not in recorder.UNTRACKED}

    assert {name for name, label in labels.items() if label.isascii()} <= {"id", "uid", "uuid"}


RECORDERS = {"recorder.record": 0, "recorder.write": 1, "recorder.change": 1, "recorder.record_edit": 2}
"""The argument that is the action."""
OF_INCIDENTS = frozenset({"joined", "merged", "moved_out"})


def recorded() -> Iterator[str]:
    """The actions that the code names, and those of transitions that people make."""
    for call in (node for path in CODE for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        position = RECORDERS.get(ast.unparse(call.func))
        if position is not None and len(call.args) > position:
            literals = (node.value for node in ast.walk(call.args[position]) if isinstance(node, ast.Constant))
            yield from (literal for literal in literals if literal and literal != "applied")
    targets = (target for action in ACTIONS.values() for target in (action.alert, action.incident) if target)
    yield from (target.transition.name.lower() for target in targets)
    yield from OF_INCIDENTS


def test_every_action_has_a_japanese_label():
    with translation.override("ja"):
        unlabelled = {action for action in recorded() if action_label(action).isascii()}

    assert unlabelled == set()


def test_maintenance_and_the_contacts_of_a_site_show_their_changes(browser, fleet):
    site = fleet.site("UMD", name="Umeda")
    entry("Switch in Umeda", subject_type="alerts.window", subject_id="1", action="extended")
    entry("Umeda", subject_type="fleet.site", subject_id=str(site.pk), changes={"region": ["Kansai", "Kinki"]})
    viewer = people.signed_in(people.person("viewer"))

    windows = browser.get("/maintenance/").content.decode()
    contacts = browser.get("/sites/UMD/contacts/").content.decode()
    others = viewer.get("/maintenance/").content.decode()

    assert "Extended <b><bdi>Switch in Umeda</bdi></b>" in windows
    assert "Kinki" in contacts
    assert "/audit/?kind=alerts.window&amp;span=all" in windows
    assert "Switch in Umeda" not in others


def test_the_api_returns_the_same_entries(browser, auditor):
    made = entry(changes={"limit": [80, 85]})
    caller = ApiClient.of(auditor)

    result = caller.get("/audit", {"kind": RULE, "object": 7}).json()

    assert [one["id"] for one in result["items"]] == [made.pk]
    assert result["items"][0]["changes"] == {"limit": [80, 85]}
    assert result["next"] is None


def test_the_api_needs_the_permission(fleet):
    caller = ApiClient.of(people.person("mori", of="Operator"))

    assert problem_of(caller.get("/audit")) == (403, "tms:forbidden")


def test_an_entry_does_not_name_what_is_empty(browser):
    """A new row records all of its fields, and those of the rows that belong to it."""
    steps = [None, [{"region": None, "weekdays": [], "position": 1}]]
    recorder.write(AuditSubject("notifications.policy", "1", "Night"), "created", {"name": [None, ""], "steps": steps})

    html = browser.get("/audit/").content.decode()

    assert "position 1" in html
    assert "nothing" not in html.partition("<tbody>")[2]
