"""Each configuration change is in the audit trail with its author, in the same transaction."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client

from tests.support import people
from tests.support.builders import AT, now
from tests.support.notifications.destinations import webhook_destination
from tests.support.rest import ApiClient
from tms.accounts import api_tokens
from tms.accounts.models import ApiToken, AuditEntry, User
from tms.alerts.correlation import settings as correlation_settings
from tms.alerts.maintenance import services as maintenance_services
from tms.alerts.models import CorrelationRule, Factor
from tms.alerts.rule_editing import services as rule_editing_services
from tms.fleet.credentials import services as credential_services
from tms.fleet.enrolment import tokens as enrolment
from tms.fleet.models.opening_hours import OpeningHours
from tms.fleet.sites import services as site_services
from tms.lib.calendar.recurrence import Recurrence
from tms.notifications.destinations import services as destination_services
from tms.notifications.models.destination import Destination
from tms.notifications.models.rotation import Rotation
from tms.notifications.planned import services as planned_services
from tms.notifications.planned.digests import services as digest_services
from tms.notifications.rotations import on_call
from tms.notifications.rotations import services as rotation_services
from tms.notifications.soft_delete import services as soft_delete_services

pytestmark = [pytest.mark.both, pytest.mark.django_db]
HOUR = timedelta(hours=1)


@pytest.fixture
def staff(fleet) -> Client:
    client = Client()
    client.force_login(people.person("kimura", of="Manager"))
    return client


def boss() -> User:
    return User.objects.get_or_create(username="boss", is_superuser=True)[0]


def destination(fleet) -> None:
    row = Destination(kind="email", name="NOC")
    destination_services.save(row, {"address": "noc@example.com"}, by=boss())
    row.name = "NOC 2"
    destination_services.save(row, {}, by=boss())
    soft_delete_services.delete(row, at=AT)
    soft_delete_services.restore(row, is_on=True)


def key(fleet) -> None:
    webhook_destination("https://example.com/").renew_key()


def rotation(fleet) -> None:
    person = fleet.person("kimura")
    row = Rotation(name="Night", starts_on=AT.date(), handover_at=AT.time())
    rotation_services.save(row, [person], by=boss())
    cover = on_call.cover(row, person, since=AT, until=AT + HOUR, by=person)
    on_call.delete_cover(row, cover.pk)


def window(fleet) -> None:
    person, site = fleet.person("kimura"), fleet.site()
    recurrence = Recurrence(ZoneInfo("UTC"), AT.replace(tzinfo=None), HOUR, "")
    made = maintenance_services.plan(
        recurrence, maintenance_services.WindowScope(sites=[site]), note="switch", by=person, at=AT
    )
    maintenance_services.extend(made, until=AT + 2 * HOUR, by=person, at=AT)
    maintenance_services.cancel(made, by=person, at=AT)


def correlation(fleet) -> None:
    rule = CorrelationRule.in_force()[Factor.SITE]
    rule.least = 5
    correlation_settings.save([rule])
    correlation_settings.reset()


def rule(fleet) -> None:
    made = fleet.metric_rule(limit=60)
    made.limit = 70
    rule_editing_services.save_rule(made, by=None, at=AT)
    rule_editing_services.delete_rule(made, by=None, at=AT)


def plan_of_digests(fleet) -> None:
    plan = digest_services.plan(
        webhook_destination("https://example.com/"), times="06:00", time_zone="UTC", by=fleet.person(), at=AT
    )
    planned_services.drop_plan(plan)


def keys_of_a_terminal(fleet) -> None:
    """Enrolling one issues its first key."""
    credential_services.revoke(fleet.terminal().credentials.all(), at=AT)


def opening_hours(fleet) -> None:
    site = fleet.site()
    site_services.set_hours(site, [OpeningHours(site=site, weekday=0, opens_at="09:00", closes_at="17:00")], [])


def token(fleet) -> None:
    api_tokens.issue(fleet.person(), name="billing", at=AT)
    api_tokens.revoke(ApiToken.objects.all(), at=AT)


DESTINATION, WINDOW, RULE, SITE = "notifications.destination", "alerts.window", "alerts.rule", "fleet.site"
CHANGES = [
    (
        destination,
        [
            ("created", DESTINATION, "name"),
            ("changed", DESTINATION, "name"),
            ("deleted", DESTINATION, ""),
            ("restored", DESTINATION, ""),
        ],
    ),
    (key, [("key-renewed", DESTINATION, "encrypted_secrets")]),
    (
        rotation,
        [
            ("created", "notifications.rotation", "members"),
            ("created", "notifications.cover", "person"),
            ("deleted", "notifications.cover", ""),
        ],
    ),
    (window, [("created", WINDOW, "sites"), ("extended", WINDOW, "occurs_until"), ("cancelled", WINDOW, "")]),
    (correlation, [("created", "alerts.correlationrule", "least"), ("reset", "alerts.correlationrule", "")]),
    (rule, [("created", RULE, "metric"), ("changed", RULE, "limit"), ("deleted", RULE, "enabled")]),
    (
        plan_of_digests,
        [("created", "notifications.digestplan", "times"), ("deleted", "notifications.digestplan", "")],
    ),
    (keys_of_a_terminal, [("key-issued", "fleet.terminal", ""), ("key-revoked", "fleet.terminal", "key")]),
    (
        lambda fleet: enrolment.make_token(enrolment.TokenLimits(fleet.site()), by=None, at=AT),
        [("enrolment-token-made", SITE, "expires_at")],
    ),
    (opening_hours, [("changed", SITE, "opening_hours")]),
    (token, [("created", "accounts.apitoken", "person"), ("revoked", "accounts.apitoken", "")]),
]


@pytest.mark.parametrize(("do", "expected"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_each_change_leaves_an_entry(fleet, do, expected):
    do(fleet)

    rows = list(AuditEntry.objects.order_by("pk"))
    assert [(row.action, row.subject_type) for row in rows] == [(action, kind) for action, kind, _ in expected]
    assert all(field in row.changes for row, (_, _, field) in zip(rows, expected, strict=True) if field)
    assert all(row.via == "command" and row.actor is None for row in rows)


def test_secrets_are_masked_and_values_are_not(fleet):
    key(fleet)
    keys_of_a_terminal(fleet)
    token(fleet)

    renewed = AuditEntry.objects.get(action="key-renewed")
    assert renewed.changes["encrypted_secrets"] == ["•••", "•••"]
    written = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "whsec_" not in written
    assert "tms_" not in written


def test_an_entry_for_a_page_has_the_person_and_the_address(fleet, staff):
    answer = staff.post("/destinations/new/email/", {"name": "NOC", "where": "noc@example.com", "language": "en"})

    entry = AuditEntry.objects.get(subject_type=DESTINATION)
    assert answer.status_code == 302
    assert (entry.actor_name, entry.via, entry.address) == ("kimura", "page", "127.0.0.1")
    assert entry.changes["address"] == [None, "noc@example.com"]


def test_an_entry_for_the_api_has_the_token(staff):
    person = User.objects.get(username="kimura")
    made, secret = api_tokens.issue(person, name="billing", at=now())

    caller = ApiClient(secret)
    caller.post("/destinations", {"kind": "email", "name": "NOC", "address": "noc@example.com"})

    entry = AuditEntry.objects.get(subject_type=DESTINATION)
    assert (entry.actor, entry.via, entry.token, entry.token_name) == (person, "api", made, "billing")


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_leaves_no_entry(fleet):
    with transaction.atomic():
        destination(fleet)
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_sign_ins_sign_outs_and_failures_are_entries_about_the_person(db):
    person, client = User.objects.create_user("kimura", password="watch-the-7-gates"), Client()

    client.login(username="kimura", password="wrong")
    client.login(username="kimura", password="watch-the-7-gates")
    client.logout()

    entries = AuditEntry.objects.filter(subject_id=str(person.pk)).order_by("pk")
    assert [entry.action for entry in entries] == ["sign-in-failed", "signed-in", "signed-out"]


def test_a_failed_sign_in_does_not_store_a_name_that_is_no_account(db):
    Client().login(username="watch-the-7-gates", password="kimura")

    entry = AuditEntry.objects.get(action="sign-in-failed")
    assert (entry.subject_id, entry.subject_name, entry.changes) == ("", "", {"account": [None, "unknown"]})
