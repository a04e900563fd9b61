"""Tags, attributes, queries and dynamic groups over REST."""

import pytest

from tests.support import people
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.fleet.models import TerminalTag

pytestmark = pytest.mark.both
FLOOR = {"name": "floor", "label": "Floor", "type": "number"}


def test_many_rows_get_tags_and_values_that_queries_find(editor, fleet):
    site = fleet.site("SJK")
    for uid in ("A", "B", "C"):
        fleet.terminal(site=site, uid=uid)
    editor.post("/attributes", FLOOR)

    done = editor.post(
        "/labels", {"subject": "terminal", "rows": ["A", "B"], "add": ["Lobby"], "attributes": {"floor": "2"}}
    )
    editor.post("/labels", {"subject": "site", "rows": ["SJK"], "add": ["station"]})

    assert done.json() == {"tagged": 2, "valued": 2}
    found = editor.get("/terminals", {"q": "tag:lobby attr.floor:2 tag:station"}).json()["items"]
    assert [(row["uid"], row["tags"], row["attributes"]) for row in found] == [
        ("A", ["lobby"], {"floor": 2.0}),
        ("B", ["lobby"], {"floor": 2.0}),
    ]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"rows": ["NIL"]}, ["$.rows"]),
        ({"add": ["two words"]}, ["$.add"]),
        ({"attributes": {"floor": "two"}}, ["$.attributes.floor"]),
        ({"attributes": {"none": "2"}}, ["$.attributes"]),
        ({"rows": []}, ["$.rows"]),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(editor, fleet, body, fields):
    fleet.terminal(uid="A")
    editor.post("/attributes", FLOOR)

    refused = editor.post("/labels", {"subject": "terminal", "rows": ["A"], "add": ["lobby"]} | body)

    assert invalid_fields(refused) == fields
    assert not TerminalTag.objects.exists()


def test_a_person_labels_only_rows_of_their_scope(fleet):
    near, far = fleet.terminal(uid="A", site=fleet.site("NEAR")), fleet.terminal(uid="B", site=fleet.site("FAR"))
    person = people.person("manager", of=None)
    people.grant(person, "Lead", site=near.site)
    client = ApiClient.of(person)

    done = client.post("/labels", {"subject": "terminal", "rows": ["A"], "add": ["lobby"]})
    refused = client.post("/labels", {"subject": "terminal", "rows": ["A", "B"], "add": ["x"]})
    defined = client.post("/attributes", FLOOR)

    assert done.json()["tagged"] == 1
    assert invalid_fields(refused) == ["$.rows"]
    assert problem_of(defined) == (403, "tms:forbidden")
    assert not far.tags.exists()


def test_an_attribute_is_changed_and_deleted_with_its_version(editor, fleet):
    made = editor.post("/attributes", {"name": "side", "label": "Side", "type": "choice", "choices": ["left"]})

    changed = editor.send("PATCH", "/attributes/side", {"choices": ["left", "right"]}, if_match=made["ETag"])
    stale = editor.send("PATCH", "/attributes/side", {"label": "Counter"}, if_match=made["ETag"])
    again = editor.post("/attributes", {"name": "side", "label": "Side"})
    deleted = editor.send("DELETE", "/attributes/side", if_match=changed["ETag"])

    assert changed.json()["choices"] == ["left", "right"]
    assert (stale.status_code, again.status_code, deleted.status_code) == (412, 422, 204)


def test_a_query_is_refused_with_the_place_of_its_mistake(editor):
    refused = editor.get("/terminals", {"q": "kind:kiosk firmwear<4"})

    assert invalid_fields(refused) == ["?q"]
    assert "There is no field “firmwear”. (column 12) Did you mean firmware?" in refused.json()["detail"]


def test_a_query_makes_a_group_dynamic(editor, fleet):
    fleet.terminal(uid="A", kind="kiosk")
    group = fleet.group("Kiosks", fleet.terminal(uid="B", kind="gate"))
    path = f"/groups/{group.pk}"

    counted = editor.post(f"{path}/query", {"query": "kind:kiosk", "dry_run": True})
    done = editor.post(f"{path}/query", {"query": "kind:kiosk"})
    by_hand = editor.post(f"{path}/members", {"add": ["B"]})
    refused = editor.post(f"{path}/query", {"query": "seen>10m"})

    assert counted.json() == done.json() == {"joins": 1, "leaves": 1}
    assert editor.get(path).json()["query"] == "kind:kiosk"
    assert problem_of(by_hand) == (409, "tms:dynamic-group")
    assert invalid_fields(refused) == ["$.query"]


def test_a_tag_is_renamed_and_deleted_everywhere(editor, fleet):
    site = fleet.site("SJK")
    for uid in ("A", "B"):
        fleet.terminal(site=site, uid=uid)
    editor.post("/labels", {"subject": "terminal", "rows": ["A", "B"], "add": ["lobby"]})
    editor.post("/labels", {"subject": "site", "rows": ["SJK"], "add": ["lobby"]})
    group = editor.post("/groups", {"name": "Halls"}).json()["id"]
    editor.post(f"/groups/{group}/query", {"query": "tag:hall"})

    dry = editor.post("/tags/rename", {"name": "lobby", "to": "hall", "dry_run": True})
    before = set(TerminalTag.objects.values_list("name", flat=True))
    renamed = editor.post("/tags/rename", {"name": "lobby", "to": "Hall"})
    named = editor.post("/tags/rename", {"name": "hall", "to": "foyer"})
    deleted = editor.post("/tags/delete", {"name": "hall"})
    again = editor.post("/tags/delete", {"name": "hall"})

    assert dry.json() == renamed.json()
    assert renamed.json() == {
        "terminals": 2, "sites": 1, "devices": 0, "moves": [{"group": "Halls", "joins": 2, "leaves": 0}]
    }  # fmt: skip
    assert before == {"lobby"}
    assert problem_of(named) == (409, "tms:named-by-groups")
    assert "Halls" in named.json()["detail"]
    assert deleted.json()["moves"] == [{"group": "Halls", "joins": 0, "leaves": 2}]
    assert again.json() == {"terminals": 0, "sites": 0, "devices": 0, "moves": []}
    assert invalid_fields(editor.post("/tags/rename", {"name": "hall", "to": "a:b"})) == ["$.to"]


def test_a_tag_of_the_whole_fleet_needs_the_permission_for_everything(fleet):
    person = people.person("manager", of=None)
    people.grant(person, "Lead", site=fleet.site("NEAR"))

    for path, body in (("/tags/rename", {"name": "a", "to": "b"}), ("/tags/delete", {"name": "a"})):
        assert ApiClient.of(person).post(path, body).status_code == 403
