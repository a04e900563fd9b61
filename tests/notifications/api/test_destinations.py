"""Destinations over the API: secrets are written, and never returned."""

import pytest

from tests.support.rest import invalid_fields, problem_of
from tms.notifications.models.destination import Destination
from tms.rest_base.models import IdempotencyRecord

pytestmark = pytest.mark.both
SECRET = "https://hooks.example.com/T0/B0/very-secret"


@pytest.fixture
def hook(editor) -> dict:
    answer = editor.post("/destinations", {"name": "Hook", "kind": "webhook", "address": SECRET})
    assert answer.status_code == 201, answer.content
    return answer.json() | {"path": answer["Location"]}


def test_a_webhook_is_created_with_a_key_that_is_returned_once(editor, hook):
    result = editor.get(hook["path"])

    assert hook["key"].startswith("whsec_")
    assert Destination.objects.get().secrets() == {"url": SECRET, "key": hook["key"]}
    assert result.json()["address"] == "https://hooks.example.com/…"
    assert b"whsec_" not in result.content
    assert b"very-secret" not in result.content + editor.get("/destinations").content


def test_a_response_with_a_key_is_never_stored(editor):
    body = {"name": "Hook", "kind": "webhook", "address": SECRET}

    editor.post("/destinations", body, Idempotency_Key="k")
    again = editor.post("/destinations", body, Idempotency_Key="k")

    assert not IdempotencyRecord.objects.exists()
    assert invalid_fields(again) == ["$.name"]


def test_a_change_keeps_omitted_fields(editor, hook, fleet):
    fleet.person("ken")

    result = editor.send("PATCH", hook["path"], {"language": "ja", "person": "ken", "enabled": False}).json()

    assert (result["name"], result["language"], result["person"], result["enabled"]) == ("Hook", "ja", "ken", False)
    assert Destination.objects.get().secrets()["url"] == SECRET


def test_a_new_address_replaces_the_old_one(editor, hook):
    editor.send("PATCH", hook["path"], {"address": "https://other.example.com/x"})

    assert Destination.objects.get().secrets()["url"] == "https://other.example.com/x"


def test_a_new_key_replaces_the_old_one(editor, hook):
    key = editor.post(f"{hook['path']}/key").json()["key"]

    assert Destination.objects.get().secrets()["key"] == key != hook["key"]


def test_only_webhooks_have_keys(editor):
    path = editor.post("/destinations", {"name": "Mail", "kind": "email", "address": "noc@example.com"})["Location"]

    assert problem_of(editor.post(f"{path}/key")) == (404, "tms:not-found")


def test_a_test_returns_the_response(editor, receiver):
    path = editor.post("/destinations", {"name": "Hook", "kind": "webhook", "address": receiver.url})["Location"]

    result = editor.post(f"{path}/test").json()

    assert result["outcome"] == "delivered"
    assert len(receiver.posted) == 1


BAD = [
    ({"kind": "pigeon"}, "$.kind"),
    ({"name": ""}, "$.name"),
    ({"name": "n" * 101}, "$.name"),
    ({"address": ""}, "$.address"),
    ({"address": "ftp://x"}, "$.address"),
    ({"address": "a" * 3000}, "$.address"),
    ({"language": "xx"}, "$.language"),
    ({"person": "nobody"}, "$.person"),
    ({"hours_from": "22:00"}, "$.hours_until"),
    ({"hours_from": "10 p.m.", "hours_until": "07:00"}, "$.hours_from"),
    ({"hours_from": "22:00", "hours_until": "07:00", "hours_zone": "Mars/Base"}, "$.hours_zone"),
    ({"enabled": "perhaps"}, "$.enabled"),
    ({"colour": "red"}, "$.colour"),
    ({"address": "https://a.example/\0"}, "$.address"),
]


@pytest.mark.parametrize(("change", "where"), BAD)
def test_an_invalid_destination_is_refused_with_its_location(editor, change, where):
    body = {"name": "Hook", "kind": "webhook", "address": SECRET}

    assert invalid_fields(editor.post("/destinations", body | change)) == [where]
    assert not Destination.objects.exists()


def test_a_fault_of_the_body_and_one_of_its_values_are_named_together(editor):
    body = {"name": "", "kind": "slack", "fields": {"token": "xoxp-1", "channel": "C0123456789"}}

    assert sorted(invalid_fields(editor.post("/destinations", body))) == ["$.fields.token", "$.name"]


def test_everyone_may_read_and_only_staff_may_change(watcher, hook):
    for method, path in (("POST", "/destinations"), ("PATCH", hook["path"]), ("POST", f"{hook['path']}/test")):
        assert problem_of(watcher.send(method, path, {})) == (403, "tms:forbidden")
    assert [one["name"] for one in watcher.get("/destinations").json()["items"]] == ["Hook"]


def test_a_deleted_destination_keeps_its_name_in_history(editor, watcher, hook):
    assert problem_of(watcher.send("DELETE", hook["path"])) == (403, "tms:forbidden")

    assert editor.send("DELETE", hook["path"]).status_code == 204
    assert editor.send("DELETE", hook["path"]).status_code == 404
    assert editor.get("/destinations").json()["items"] == []
    assert Destination.objects.get().deleted_at is not None
