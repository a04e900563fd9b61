"""Services with values of their own: each is checked while saving, and secrets are never shown."""

import json

import pytest

from tests.support.notifications.destinations import SERVICE_VALUES, service_destination
from tests.support.pages import HtmlPage
from tests.support.rest import ApiClient, invalid_fields, superuser_client
from tms.notifications.models import Destination
from tms.notifications.transports import ENTERED, TRANSPORTS, ServiceTransport

pytestmark = pytest.mark.django_db

SERVICES = [each.name for each in TRANSPORTS.values() if isinstance(each, ServiceTransport)]
USUAL = {"name": "Ours", "language": "en", "enabled": "on"}


@pytest.fixture
def editor(db) -> ApiClient:
    return superuser_client()


def form(kind: str, **values: str) -> dict[str, str]:
    return USUAL | {f"own-{name}": value for name, value in (SERVICE_VALUES[kind] | values).items()}


def secrets_of(kind: str) -> list[str]:
    return [SERVICE_VALUES[kind][field.name].strip() for field in TRANSPORTS[kind].fields if field.is_secret]


def test_the_table_has_each_service():
    assert sorted(SERVICE_VALUES) == sorted(SERVICES)


@pytest.mark.parametrize("kind", SERVICES)
def test_it_is_saved_and_its_secrets_are_not_shown_again(staff, editor, kind):
    answer = staff.post(f"/destinations/new/{kind}/", form(kind))

    made = Destination.objects.get()
    [row] = Destination.objects.values()
    read = editor.get(f"/destinations/{made.pk}")
    texts = [staff.get(made.get_absolute_url()).content.decode(), read.content.decode(), json.dumps(row, default=str)]
    public = {field.name for field in made.transport.fields if not field.is_secret}
    assert answer.status_code == 302
    assert {name: made.saved_values()[name].split() for name in SERVICE_VALUES[kind]} == {
        name: value.split() for name, value in SERVICE_VALUES[kind].items()
    }
    assert read.json()["fields"] == {name: SERVICE_VALUES[kind][name] for name in public}
    assert made.address
    assert [secret for secret in secrets_of(kind) for text in texts if secret in text] == []


@pytest.mark.parametrize("kind", SERVICES)
def test_saved_without_its_secrets_it_keeps_them(staff, editor, kind):
    made = service_destination(kind)
    before = made.secrets()
    empty = {field.name: "" for field in made.transport.fields if field.is_secret}

    page = staff.post(made.get_absolute_url(), form(kind, **empty) | {"name": "Renamed"})
    rest = editor.send("PATCH", f"/destinations/{made.pk}", {"language": "ja"})

    made.refresh_from_db()
    assert (page.status_code, rest.status_code) == (302, 200)
    assert (made.name, made.language, made.secrets()) == ("Renamed", "ja", before)


WRONG = [
    ("slack", "token", "xoxp-1111-2222-abcdefghij", "xoxb-"),
    ("slack", "token", "https://example.com/services/T0/B0/x", "https://hooks.slack.com/"),
    ("slack", "channel", "the noc channel", "C0123456789"),
    ("slack", "channel", "", "the channel to which the app posts"),
    ("teams", "url", "https://example.webhook.office.com/webhookb2/1/IncomingWebhook/2/3", "connectors"),
    ("teams", "url", "https://127.0.0.1/workflows/a/triggers/manual/paths/invoke?sig=x", "TMS_INSIDE_DESTINATIONS"),
    ("teams", "url", "https://x.example:99999/workflows/a/triggers/manual/paths/invoke?sig=x", "from 1 to 65535"),
    ("line_works", "private_key", "MIIEvQIBADANBg", "-----BEGIN PRIVATE KEY-----"),
    ("line_works", "private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "cannot be read"),
    ("line_works", "to", "everyone", "channel ID"),
    ("line_works", "bot", "our bot", "number of the bot"),
    ("telegram", "token", "123:abc", "BotFather"),
    ("telegram", "chat", "noc", "@example"),
    ("pagerduty", "key", "u+abcdefghijklmnopqr", "REST API key"),
    ("pagerduty", "region", "mars", "mars"),
    ("opsgenie", "key", "abc", "API integration"),
]


@pytest.mark.parametrize(("kind", "name", "value", "says"), WRONG)
def test_a_wrong_value_is_refused_beside_its_field(staff, editor, kind, name, value, says):
    answer = staff.post(f"/destinations/new/{kind}/", form(kind, **{name: value}))
    body = {"name": "Ours", "kind": kind, "fields": SERVICE_VALUES[kind] | {name: value}}

    assert answer.status_code == 422
    assert says in HtmlPage(answer).text(f"id_own-{name}_error")
    assert invalid_fields(editor.post("/destinations", body)) == [f"$.fields.{name}"]
    assert not Destination.objects.exists()


@pytest.mark.parametrize("kind", SERVICES)
def test_a_missing_value_is_asked_for(editor, kind):
    required = [field.name for field in TRANSPORTS[kind].fields if field.is_required and not field.choices]

    answer = editor.post("/destinations", {"name": "Ours", "kind": kind})

    assert sorted(invalid_fields(answer)) == sorted(f"$.fields.{name}" for name in required)


def test_values_that_a_kind_does_not_have_are_refused(editor):
    slack = {"name": "Ours", "kind": "slack", "fields": SERVICE_VALUES["slack"]}

    assert invalid_fields(editor.post("/destinations", slack | {"address": "x"})) == ["$.address"]
    assert invalid_fields(editor.post("/destinations", slack | {"fields": {"colour": "red"}})) == ["$.fields"]
    mail = {"name": "Ours", "kind": "email", "address": "noc@example.com", "fields": {"token": "x"}}
    assert invalid_fields(editor.post("/destinations", mail)) == ["$.fields"]


def test_the_choice_names_each_kind_and_what_it_does(staff, watcher):
    page = HtmlPage(staff.get("/destinations/new/"))

    assert {f"/destinations/new/{kind}/" for kind in ENTERED} <= set(page.links())
    assert [each.name for each in ENTERED.values() if str(each.label) not in page.html] == []
    assert watcher.get("/destinations/new/").status_code == 403
