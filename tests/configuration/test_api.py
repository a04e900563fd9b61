"""The configuration over REST: from a key to one terminal, and what is refused."""

import pytest

from tests.configuration.rows import boot, fleet_value, key, version
from tests.support import people
from tests.support.builders import Fleet
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.commands.models import Command

pytestmark = [pytest.mark.both, pytest.mark.django_db]
KEYS, VERSIONS = "/configuration/keys", "/configuration/versions"
DENSITY = {"name": "printer.density", "value_schema": {"type": "integer", "minimum": 1, "maximum": 8}}


@pytest.fixture
def client(fleet: Fleet) -> ApiClient:
    return ApiClient.of(people.person("lead", of="Manager"))


def test_from_a_key_to_a_terminal(fleet: Fleet, client: ApiClient) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    assert client.post(KEYS, DENSITY).status_code == 201
    values = f"{KEYS}/printer.density/values"
    tag = client.get(values)["ETag"]
    body = {"layer": "terminal", "place": terminal.uid, "value": 5}
    draft = client.send("PUT", values, body, If_Match=tag)
    assert draft.json()["state"] == "draft"
    assert problem_of(client.send("PUT", values, body, If_Match=tag)) == (412, "tms:configuration-changed")
    assert client.get(f"{VERSIONS}/1/changes").json()["items"][0]["after"] == "5"
    reason = {"title": "Density", "reason": "too light"}
    ready = client.send("PUT", f"{VERSIONS}/1/ready", reason, If_Match=draft["ETag"])
    assert ready.json()["state"] == "ready"
    assert problem_of(client.send("DELETE", f"{VERSIONS}/1", If_Match=ready["ETag"])) == (409, "tms:no-draft")
    sent = client.post(f"{VERSIONS}/1/send", {"terminal": terminal.uid}).json()
    assert (sent["desired_version"], sent["differs"], sent["values"][0]["value"]) == (1, True, "5")
    assert Command.objects.get().args == {"revision": 1, "version": 1}
    read = client.get(f"/terminals/{terminal.uid}/configuration")
    assert read["ETag"]
    assert read.json()["values"][0]["layer"] == "terminal"
    assert client.post(f"{VERSIONS}/1/undo", {}).json()["undoes"] == 1


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"layer": "fleet", "value": 120}, ["$.value"]),
        ({"layer": "fleet", "value": "{{ site.fone }}"}, ["$.value"]),
        ({"layer": "site", "place": "XXX", "value": 5}, ["$.place"]),
    ],
)
def test_wrong_values_are_refused_where_they_are(client: ApiClient, body: dict[str, object], where: list[str]) -> None:
    key()
    assert invalid_fields(client.send("PUT", f"{KEYS}/display.brightness/values", body, If_Match="*")) == where


def test_a_key_in_use_stays(fleet: Fleet, client: ApiClient) -> None:
    version(fleet_value(80))
    assert problem_of(client.send("DELETE", f"{KEYS}/display.brightness", If_Match="*")) == (409, "tms:key-in-use")
    assert client.send("DELETE", f"{KEYS}/display.brightness").status_code == 428


def test_secrets_are_not_returned(fleet: Fleet, client: ApiClient) -> None:
    key("reader.key", is_secret=True, schema={"type": "string", "maxLength": 5})
    body = {"layer": "fleet", "value": "k-50001234"}
    refused = client.send("PUT", f"{KEYS}/reader.key/values", body, If_Match="*")
    assert "k-5000" not in refused.content.decode()
    client.send("PUT", f"{KEYS}/reader.key/values", body | {"value": "k-500"}, If_Match="*")
    for path in (f"{KEYS}/reader.key/values", f"{VERSIONS}/1/changes"):
        assert "k-500" not in client.get(path).content.decode()
