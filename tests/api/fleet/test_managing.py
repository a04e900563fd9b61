"""Regions, sites, terminals, devices, keys and tokens over REST, as a person of the whole fleet."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, now
from tests.support.rest import invalid_fields, problem_of
from tms.accounts.models import Grant
from tms.fleet.models import Credential, Device, Lifecycle, Placement, Region, Site, Terminal, UnexpectedDevice
from tms.fleet.terminals import lifecycle_changes

pytestmark = pytest.mark.both


def test_a_fleet_is_filled_from_nothing(editor, fleet):
    region = editor.post("/regions", {"name": "Kanto", "name_ja": "関東"})
    site = editor.post("/sites", {"code": "SJK", "name": "Shinjuku South", "region": "Kanto"})
    terminal = editor.post("/terminals", {"uid": "SJK-KSK-03", "site": "SJK", "kind": "kiosk", "label": "Lane 3"})
    placed = editor.post("/terminals/SJK-KSK-03/replace", {"serial": "K21", "model": "KX-21"})

    assert [answer.status_code for answer in (region, site, terminal, placed)] == [201] * 4
    assert site["Location"] == "/api/v1/sites/SJK"
    assert (terminal.json()["lifecycle"], terminal.json()["site"]["code"]) == ("planned", "SJK")
    assert placed.json()["device"]["state"] == "in_service"
    assert placed.json()["credential"].startswith("SJK-KSK-03.")
    assert editor.get("/terminals/SJK-KSK-03").json()["serial"] == "K21"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/regions", {"name": "Kanto"}),
        ("/sites", {"code": "SJK", "name": "Another"}),
        ("/terminals", {"uid": "T-1", "site": "SJK"}),
        ("/devices", {"serial": "K21"}),
        ("/groups", {"name": "Lobby"}),
    ],
)
def test_what_exists_is_not_created_again(editor, fleet, path, body):
    fleet.group("Lobby", fleet.terminal(uid="T-1", serial="K21", site=fleet.site(region="Kanto")))

    answer = editor.post(path, body)

    assert problem_of(answer) == (409, "tms:exists")
    assert answer.json()["errors"][0]["where"] == f"$.{next(iter(body))}"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/sites", {"code": "A B", "name": "X"}, "$.code"),
        ("/sites", {"code": "AAAAAAAAA", "name": "X"}, "$.code"),
        ("/sites", {"code": "A", "name": " "}, "$.name"),
        ("/sites", {"code": "A", "name": "X", "region": "Nowhere"}, "$.region"),
        ("/sites", {"code": "A", "name": "X", "time_zone": "Mars/Base"}, "$.time_zone"),
        ("/terminals", {"uid": "A B", "site": "SJK"}, "$.uid"),
        ("/terminals", {"uid": "A", "site": "NIL"}, "$.site"),
        ("/terminals", {"uid": "A", "site": "SJK", "kind": "toaster"}, "$.kind"),
        ("/terminals", {"uid": "A", "site": "SJK", "parent": "NIL"}, "$.parent"),
        ("/devices", {"state": "in_service"}, "$.state"),
        ("/devices", {"site": "NIL"}, "$.site"),
        ("/terminals/T-1/replace", {}, "$"),
        ("/terminals/T-1/replace", {"device": 999_999}, "$.device"),
        ("/terminals/T-1/swap", {"other": "T-1"}, "$.other"),
        ("/terminals/T-1/state", {"lifecycle": "retired"}, "$.lifecycle"),
        ("/terminals/T-1/keys", {"expires_at": "2020-01-01T00:00:00Z"}, "$.expires_at"),
        ("/enrolment-tokens", {}, "$"),
        ("/enrolment-tokens", {"site": "SJK", "terminal": "T-1"}, "$"),
        ("/sites/SJK/terminals", {"terminals": ["T-1", "NIL"]}, "$.terminals"),
    ],
)
def test_an_invalid_body_is_refused_with_its_location(editor, fleet, path, body, where):
    fleet.terminal(uid="T-1")

    assert invalid_fields(editor.post(path, body)) == [where]


@pytest.mark.parametrize(
    "name", ["/regions/{region}", "/sites/SJK", "/terminals/T-1", "/devices/{device}", "/groups/{group}"]
)
def test_nobody_overwrites_what_they_have_not_seen(editor, fleet, name):
    terminal = fleet.terminal(uid="T-1", site=fleet.site(region="Kanto"))
    group = fleet.group("Lobby", terminal)
    path = name.format(region=Region.objects.get().pk, device=Device.objects.get().pk, group=group.pk)
    field = {"/terminals/T-1": "label", "/devices/{device}": "note"}.get(name, "name")
    read = editor.get(path)["ETag"]

    blind = editor.send("PATCH", path, {field: "One"})
    first = editor.send("PATCH", path, {field: "Two"}, If_Match=read)
    late = editor.send("PATCH", path, {field: "Three"}, If_Match=read)

    assert problem_of(blind) == (428, "tms:if-match-missing")
    assert first.status_code == 200, first.content
    assert late.status_code == 412
    assert first["ETag"] == late["ETag"] == editor.get(path)["ETag"] != read


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/sites/SJK", {"name": "x" * 101}, "$.name"),
        ("/sites/SJK", {"code": "A B"}, "$.code"),
        ("/sites/SJK", {"time_zone": "Mars/Base"}, "$.time_zone"),
        ("/sites/SJK", {"region": "Nowhere"}, "$.region"),
        ("/terminals/T-1", {"label": "x" * 101}, "$.label"),
        ("/terminals/T-1", {"uid": "T-2"}, "$.uid"),
    ],
)
def test_a_change_has_the_limits_of_a_new_row(editor, fleet, path, body, where):
    fleet.terminal(uid="T-1")

    assert invalid_fields(editor.send("PATCH", path, body, If_Match="*")) == [where]


def test_a_report_does_not_change_the_version_of_a_terminal(editor, fleet):
    terminal = fleet.online(uid="T-1")
    read = editor.get("/terminals/T-1")["ETag"]
    type(terminal.state).objects.update(metrics={"cpu": 99.0}, presence="offline")

    assert editor.get("/terminals/T-1")["ETag"] == read


def test_the_new_name_of_a_region_applies_to_its_grants(editor, fleet):
    fleet.site(region="Kanto")
    region = Region.objects.get()
    Grant.objects.create(person=fleet.person(), role=fleet.person().grants.get().role, region="Kanto")

    answer = editor.send("PATCH", f"/regions/{region.pk}", {"name": "East"}, If_Match="*")

    assert answer.status_code == 200
    assert (Site.objects.get().region, Grant.objects.exclude(region="").get().region) == ("East", "East")


def test_a_region_in_use_is_not_deleted_and_the_answer_says_why(editor, fleet):
    fleet.site(region="Kanto")

    answer = editor.send("DELETE", f"/regions/{Region.objects.get().pk}", If_Match="*")

    assert problem_of(answer) == (409, "tms:region-in-use")
    assert "1 site" in answer.json()["detail"]


def test_a_closed_site_takes_no_terminals_until_it_is_reopened(editor, fleet):
    fleet.terminal(uid="T-1")

    closed = editor.post("/sites/SJK/close", {"comment": "Lease ended"})
    refused = editor.post("/terminals", {"uid": "T-2", "site": "SJK"})
    lonely = editor.post("/terminals/T-1/bring-back", {"comment": ""})
    reopened = editor.post("/sites/SJK/reopen", {"comment": "New lease"})

    assert closed.json() == reopened.json() == {"terminals": 1}
    assert problem_of(refused) == problem_of(lonely) == (409, "tms:site-closed")
    assert Terminal.objects.get().lifecycle == Lifecycle.IN_SERVICE


def test_a_terminal_is_retired_and_brought_back(editor, fleet):
    fleet.terminal(uid="T-1", serial="K21")

    retired = editor.post("/terminals/T-1/retire", {"device_becomes": "in_repair"})
    key = editor.post("/terminals/T-1/keys", {})
    replaced = editor.post("/terminals/T-1/replace", {"serial": "K22"})
    in_service = editor.post("/terminals/T-1/state", {"lifecycle": "in_service"})
    back = editor.post("/terminals/T-1/bring-back", {"comment": "Repaired"})

    assert retired.json()["lifecycle"] == "retired"
    assert problem_of(key) == problem_of(replaced) == (409, "tms:retired")
    assert problem_of(in_service) == (409, "tms:lifecycle")
    assert back.json()["lifecycle"] == "in_service"
    assert Credential.objects.valid(now()).count() == 1


def test_after_30_days_a_terminal_stays_retired(editor, fleet):
    terminal = fleet.terminal(uid="T-1")
    lifecycle_changes.retire([terminal.pk], device_becomes="spare", by=None, at=now() - timedelta(days=31))

    assert problem_of(editor.post("/terminals/T-1/bring-back", {"comment": ""})) == (409, "tms:lifecycle")


def test_only_a_terminal_that_was_never_connected_is_deleted(editor, fleet):
    fleet.terminal(uid="T-1")
    fleet.online(uid="T-2", last_seen_at=AT)

    deleted = editor.send("DELETE", "/terminals/T-1", If_Match="*")
    kept = editor.send("DELETE", "/terminals/T-2", If_Match="*")

    assert deleted.status_code == 204
    assert problem_of(kept) == (409, "tms:has-history")
    assert [terminal.uid for terminal in Terminal.objects.all()] == ["T-2"]


def test_a_parent_stays_if_the_body_names_none_and_a_circle_is_refused(editor, fleet):
    router = fleet.terminal(uid="R-1")
    fleet.terminal(uid="T-1", parent=router)

    renamed = editor.send("PATCH", "/terminals/T-1", {"label": "Lane 3"}, If_Match="*")
    circle = editor.send("PATCH", "/terminals/R-1", {"parent": "T-1"}, If_Match="*")
    freed = editor.send("PATCH", "/terminals/T-1", {"parent": None}, If_Match="*")

    assert renamed.json()["parent"] == "R-1"
    assert problem_of(circle) == (409, "tms:circle")
    assert freed.json()["parent"] is None


def test_terminals_move_all_or_none(editor, fleet):
    fleet.terminal(uid="T-1", site=fleet.site("OSK"))
    fleet.terminal(uid="T-2", site=fleet.site("SJK"))

    answer = editor.post("/sites/SJK/terminals", {"terminals": ["T-1", "T-2"]})

    assert answer.json() == {"moved": 1}
    assert fleet.site("SJK").terminals.count() == 2


def test_a_device_is_replaced_by_a_spare_one_and_its_keys_are_revoked(editor, fleet):
    terminal = fleet.terminal(uid="T-1", serial="K21")
    spare = editor.post("/devices", {"serial": "K22", "site": "SJK"}).json()

    answer = editor.post("/terminals/T-1/replace", {"device": spare["id"], "removed_becomes": "lost"})

    assert answer.status_code == 201, answer.content
    assert answer.json()["removed"]["state"] == "lost"
    assert Credential.objects.valid(now()).get().device_id == spare["id"]
    shown = editor.get("/terminals/T-1/placements").json()["items"]
    assert [(one["serial"], one["ended_at"] is None) for one in shown] == [("K22", True), ("K21", False)]
    assert terminal.credentials.count() == 2


def test_a_device_that_serves_is_not_placed_twice_nor_edited_away(editor, fleet):
    fleet.terminal(uid="T-1", serial="K21")
    fleet.terminal(uid="T-2", serial="K22")
    placed = Device.objects.get(serial="K21")

    twice = editor.post("/terminals/T-2/replace", {"serial": "K21"})
    edited = editor.send("PATCH", f"/devices/{placed.pk}", {"state": "spare"}, If_Match="*")
    noted = editor.send("PATCH", f"/devices/{placed.pk}", {"note": "Scratched"}, If_Match="*")

    assert problem_of(twice) == problem_of(edited) == (409, "tms:device-placed")
    assert noted.json()["note"] == "Scratched"
    assert Placement.objects.open().count() == 2


def test_a_replacement_is_undone_once(editor, fleet):
    terminal = fleet.terminal(uid="T-1", serial="K21")
    key = terminal.credentials.get()
    editor.post("/terminals/T-1/replace", {"serial": "K22"})

    undone = editor.post("/terminals/T-1/replace/undo", {})
    again = editor.post("/terminals/T-1/replace/undo", {})

    assert undone.json()["serial"] == "K21"
    key.refresh_from_db()
    assert key.revoked_at is None
    assert problem_of(again) == (409, "tms:cannot-undo")


def test_swapped_devices_take_their_keys_along(editor, fleet):
    one, other = fleet.terminal(uid="T-1", serial="K21"), fleet.terminal(uid="T-2", serial="K22")
    key = one.credentials.get()

    answer = editor.post("/terminals/T-1/swap", {"other": "T-2"})

    assert [placement["serial"] for placement in answer.json()["items"]] == ["K22", "K21"]
    key.refresh_from_db()
    assert key.terminal == other


def test_a_planned_terminal_without_a_device_cannot_be_swapped(editor, fleet):
    fleet.terminal(uid="T-1")
    editor.post("/terminals", {"uid": "T-2", "site": "SJK"})

    assert problem_of(editor.post("/terminals/T-1/swap", {"other": "T-2"})) == (409, "tms:no-device")


def test_a_key_is_issued_rotated_and_revoked(editor, fleet):
    terminal = fleet.terminal(uid="T-1")
    first = terminal.credentials.get()

    issued = editor.post("/terminals/T-1/keys", {}).json()["credential"]
    rotated = editor.post("/terminals/T-1/keys/rotate", {"overlap_s": 60}).json()["credential"]
    revoked = editor.post(f"/terminals/T-1/keys/{first.pk}/revoke")
    again = editor.post(f"/terminals/T-1/keys/{first.pk}/revoke")

    assert len({issued, rotated}) == 2
    assert (revoked.json(), again.json()) == ({"revoked": 1}, {"revoked": 0})
    shown = editor.get("/terminals/T-1/keys")
    assert [one["expires_at"] is None for one in shown.json()["items"]] == [True, False, False]
    assert issued.partition(".")[2] not in shown.content.decode()


@pytest.mark.parametrize("path", ["/terminals/T-1/keys", "/terminals/T-1/keys/rotate", "/enrolment-tokens"])
def test_a_secret_is_not_stored_with_an_idempotency_key(editor, fleet, path):
    fleet.terminal(uid="T-1")
    body = {"site": "SJK"} if path == "/enrolment-tokens" else {}

    first, second = (editor.post(path, body, Idempotency_Key="k") for _ in range(2))

    assert first.json() != second.json()
    assert "Idempotency-Replayed" not in second


def test_a_repeated_creation_with_the_same_key_gets_the_same_answer(editor, fleet):
    fleet.site("SJK")
    body = {"uid": "T-1", "site": "SJK"}

    first, second = (editor.post("/terminals", body, Idempotency_Key="k") for _ in range(2))

    assert (first.status_code, first.json(), first["ETag"]) == (201, second.json(), second["ETag"])
    assert second["Idempotency-Replayed"] == "true"


def test_a_token_enrols_a_planned_terminal_until_it_is_withdrawn(editor, client, fleet):
    fleet.site("SJK")
    editor.post("/terminals", {"uid": "SJK-9", "site": "SJK"})
    made = editor.post("/enrolment-tokens", {"terminal": "SJK-9", "serials": ["K21"]}).json()
    other = editor.post("/enrolment-tokens", {"site": "SJK"}).json()

    withdrawn = editor.post(f"/enrolment-tokens/{other['id']}/withdraw")
    refused = client.post("/api/v1/enrol", {"token": other["token"]}, content_type="application/json")
    enrolled = client.post("/api/v1/enrol", {"token": made["token"], "serial": "K21"}, content_type="application/json")

    assert withdrawn.json()["withdrawn_at"]
    assert refused.status_code == 403
    assert enrolled.json()["uid"] == "SJK-9"
    assert [one["uses_left"] for one in editor.get("/enrolment-tokens").json()["items"]] == [1, 0]
    assert editor.get("/enrolment-tokens?usable=true").json()["items"] == []
    assert made["token"] not in editor.get("/enrolment-tokens").content.decode()


def test_a_token_of_a_retired_terminal_enrols_nothing(editor, client, fleet):
    fleet.terminal(uid="T-1")
    made = editor.post("/enrolment-tokens", {"terminal": "T-1"}).json()
    editor.post("/terminals/T-1/retire", {"comment": ""})

    enrolled = client.post("/api/v1/enrol", {"token": made["token"]}, content_type="application/json")

    assert enrolled.status_code == 403
    assert problem_of(editor.post("/enrolment-tokens", {"terminal": "T-1"})) == (409, "tms:retired")


@pytest.mark.parametrize(("action", "decision"), [("confirm", "confirmed"), ("block", "blocked")])
def test_an_unexpected_device_is_decided_once(editor, fleet, action, decision):
    terminal = fleet.terminal(uid="T-1", serial="K21")
    key = terminal.credentials.get()
    found = UnexpectedDevice.objects.create(
        terminal=terminal, serial="K22", credential=key, first_seen_at=AT, last_seen_at=AT
    )

    listed = editor.get("/unexpected-devices?undecided=true&terminal=T-1").json()["items"]
    answer = editor.post(f"/unexpected-devices/{found.pk}/{action}", {"comment": "Checked"})
    again = editor.post(f"/unexpected-devices/{found.pk}/{action}", {"comment": "Checked"})

    assert [one["serial"] for one in listed] == ["K22"]
    assert answer.json()["decision"] == decision
    assert problem_of(again) == (409, "tms:already-decided")
    assert editor.get("/unexpected-devices?undecided=true").json()["items"] == []


def test_contacts_are_replaced_in_order_and_checked(editor, fleet):
    fleet.site("SJK")
    contacts = [{"name": "Office", "phone": "1", "email": "", "note": ""}, {"name": "Carrier", "email": "a@b.example"}]

    saved = editor.send("PUT", "/sites/SJK/contacts", {"contacts": contacts})
    wrong = editor.send("PUT", "/sites/SJK/contacts", {"contacts": [contacts[0], {"name": "X", "email": "nobody"}]})

    assert [one["name"] for one in saved.json()["contacts"]] == ["Office", "Carrier"]
    assert invalid_fields(wrong) == ["$.contacts[1].email"]
    assert editor.get("/sites/SJK/contacts").json() == saved.json()
