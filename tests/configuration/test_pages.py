"""The pages of the configuration: what people see and may do, and what they do with a draft."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.configuration.rows import boot, fleet_value, key, version
from tests.support import people
from tests.support.builders import AT, Fleet
from tests.support.pages import streamed
from tms.accounts.models import AuditEntry
from tms.commands.models import Command
from tms.configuration import delivery, versions
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer, LayerValue
from tms.configuration.places import Place
from tms.configuration.versions import ValueEdit

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def test_from_a_value_to_a_terminal(fleet: Fleet, client: Client) -> None:
    terminal = fleet.online(model="KX-21")
    boot(terminal, 0)
    key(meaning="percent")
    client.force_login(people.person("kei", of="Manager"))
    assert "No keys yet" not in client.get("/configuration/").text
    bad = client.post("/configuration/keys/display.brightness/", {"layer": "fleet", "value": "120"})
    assert bad.status_code == 422
    assert "at most 100" in bad.text
    client.post("/configuration/keys/display.brightness/", {"layer": "fleet", "value": "80"})
    client.post("/configuration/keys/display.brightness/", {"layer": "terminal", "place": terminal.uid, "value": "60"})
    page = client.get("/configuration/versions/1/").text
    assert "Draft, no errors" in page
    assert terminal.uid in page
    refused = client.post("/configuration/versions/1/ready/", {"title": "Brightness"})
    assert refused.status_code == 422
    client.post("/configuration/versions/1/ready/", {"title": "Brightness", "reason": "too dark"})
    assert ConfigurationVersion.objects.get().state == "ready"
    sent = client.post("/configuration/versions/1/send/", {"terminal": terminal.uid}, follow=True)
    assert "no answer" not in sent.text
    assert Command.objects.get().args == {"revision": 1, "version": 1}
    shown = client.get(f"/terminals/{terminal.uid}/configuration/").text
    assert "over <bdi>80</bdi>" in shown
    client.post("/configuration/versions/1/undo/", {"reason": "too bright"})
    assert ConfigurationVersion.objects.get(number=2).undoes_id == ConfigurationVersion.objects.get(number=1).pk


def test_a_secret_is_on_no_page(fleet: Fleet, client: Client) -> None:
    terminal = fleet.online()
    boot(terminal, 0)
    key("reader.key", is_secret=True, schema={"type": "string", "minLength": 8})
    client.force_login(people.person("kei", of="Manager"))
    short = client.post("/configuration/keys/reader.key/", {"layer": "fleet", "value": "k-5000"})
    assert "k-5000" not in short.text
    client.post("/configuration/keys/reader.key/", {"layer": "fleet", "value": "k-50001234"})
    wanted = versions.fix(ConfigurationVersion.objects.get(), by=None, at=AT)
    delivery.desire([terminal.pk], wanted, at=AT)
    for address in (
        "/configuration/",
        "/configuration/keys/reader.key/",
        "/configuration/versions/1/",
        f"/terminals/{terminal.uid}/configuration/",
    ):
        assert "k-50001234" not in client.get(address).text
    export = streamed(client.get("/configuration/export/"))
    assert "reader.key" not in export
    assert "k-50001234" not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_people_edit_where_they_may(fleet: Fleet, client: Client) -> None:
    mine, other = fleet.site("UMD", region="Kansai"), fleet.site("TKY", region="Kanto")
    near, far = fleet.terminal(site=mine), fleet.terminal(site=other)
    editor = people.person("mika", of=None)
    people.grant(editor, "Lead", site=mine)
    version(ValueEdit(key(), Place(Layer.TERMINAL, far.pk), 11), ValueEdit(key(), Place(Layer.TERMINAL, near.pk), 22))
    client.force_login(editor)
    page = client.get("/configuration/keys/display.brightness/").text
    assert near.uid in page
    assert far.uid not in page
    assert client.get(f"/terminals/{far.uid}/configuration/").status_code == 404
    address = "/configuration/keys/display.brightness/"
    assert client.post(address, {"layer": "fleet", "value": "5"}).status_code == 403
    assert client.post(address, {"layer": "terminal", "place": far.uid, "value": "5"}).status_code == 422
    assert client.post(address, {"layer": "site", "place": "UMD", "value": "5"}).status_code == 302
    assert LayerValue.objects.get(site=mine).value == 5
    versions.edit([fleet_value(3)], by=None, at=AT)
    assert client.post("/configuration/versions/2/discard/").status_code == 403


def test_keys_are_defined_by_those_who_may_everywhere(fleet: Fleet, client: Client) -> None:
    client.force_login(people.person("kei", of="Manager"))
    body = {"name": "printer.density", "schema": '{"type": "integer", "maximum": 8}', "for_models": "KX-21"}
    assert client.post("/configuration/keys/new/", body | {"schema": '{"typ": 1}'}).status_code == 422
    assert client.post("/configuration/keys/new/", body).status_code == 302
    assert ConfigurationKey.objects.get().for_models == ["KX-21"]
    version(ValueEdit(ConfigurationKey.objects.get(), Place(Layer.FLEET), 5))
    client.post("/configuration/keys/printer.density/delete/")
    assert ConfigurationKey.objects.exists()


def test_files_make_the_round_trip(fleet: Fleet, client: Client) -> None:
    first, second = fleet.terminal(uid="A-1"), fleet.terminal(uid="A-2")
    key("display.title", schema={"type": "string"})
    version(
        fleet_value(80),
        ValueEdit(key("display.title"), Place(Layer.TERMINAL, first.pk), "=1+1, 駅"),
        ValueEdit(key(), Place(Layer.TERMINAL, second.pk), 60),
    )
    client.force_login(people.person("kei", of="Manager"))
    exported = streamed(client.get("/configuration/export/"))
    assert exported.splitlines() == [
        "terminal,display.brightness,display.title",
        'A-1,80,"\'=1+1, 駅"',
        "A-2,60,",
    ]
    assert upload(client, exported.encode()).url == "/configuration/"
    assert versions.draft() is None
    changed = "terminal,display.brightness,display.title\nA-1,80,東京\nA-2,,\n".encode("shift_jis")
    assert upload(client, changed).url == "/configuration/versions/2/"
    title, brightness = LayerValue.objects.filter(since__number=2), LayerValue.objects.filter(until__number=2)
    assert [one.value for one in title] == ["東京"]
    assert sorted(str(one.value) for one in brightness) == ["60", "=1+1, 駅"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("terminal,display.brightnes\nA-1,5\n", "display.brightness"),
        ("terminal,display.brightness\nA-1,120\n", "at most 100"),
        ("terminal,display.brightness\nA-9,5\n", "unknown terminal"),
        ("terminal,display.brightness\nA-1,5\nA-1,6\n", "in row 2"),
        ("terminal,reader.key\nA-1,5\n", "secret values are not in files"),
        ("terminal,px.key\nA-1,5\n", "does not have this key"),
        ("uid,display.brightness\nA-1,5\n", "must be called terminal"),
    ],
)
def test_a_file_with_an_error_saves_nothing(fleet: Fleet, client: Client, text: str, problem: str) -> None:
    fleet.terminal(uid="A-1", model="KX-21")
    key()
    key("reader.key", is_secret=True)
    key("px.key", for_models=["PX-300"])
    client.force_login(people.person("kei", of="Manager"))
    answer = upload(client, text.encode())
    assert answer.status_code == 422
    assert problem in answer.text
    assert versions.draft() is None


def upload(client: Client, data: bytes) -> Any:
    return client.post("/configuration/import/", {"file": SimpleUploadedFile("sets.csv", data)})
