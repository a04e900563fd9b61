"""Who may manage the fleet over REST: each operation with each role, and with a row of another region."""

from typing import Any

import pytest

from tests.api.fleet.two_regions import Names, as_person, of_kanto, seeing_all, two_regions
from tests.support.rest import ApiClient, problem_of

pytestmark = pytest.mark.both

OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "/regions/{region}", {"name_ja": "地方"}),
    ("PATCH", "/sites/{site}", {"name": "Renamed"}),
    ("POST", "/sites/{site}/close", {"comment": "Lease ended"}),
    ("POST", "/sites/{site}/reopen", {"comment": "New lease"}),
    ("PUT", "/sites/{site}/contacts", {"contacts": [{"name": "Office"}]}),
    ("POST", "/sites/{site}/terminals", {"terminals": ["{terminal}"]}),
    ("PATCH", "/terminals/{terminal}", {"label": "Lane 9"}),
    ("DELETE", "/terminals/{terminal}", {}),
    ("POST", "/terminals/{terminal}/state", {"lifecycle": "out_of_service"}),
    ("POST", "/terminals/{terminal}/retire", {"comment": "Broken"}),
    ("POST", "/terminals/{terminal}/bring-back", {"comment": "Repaired"}),
    ("POST", "/terminals/{terminal}/replace", {"serial": "NEW-{site}"}),
    ("POST", "/terminals/{terminal}/swap", {"other": "{other}"}),
    ("POST", "/terminals/{terminal}/keys", {"expires_at": None}),
    ("POST", "/terminals/{terminal}/keys/rotate", {"overlap_s": 60}),
    ("POST", "/terminals/{terminal}/keys/{key}/revoke", {}),
    ("PATCH", "/devices/{device}", {"note": "In the cellar"}),
    ("POST", "/unexpected-devices/{unexpected}/confirm", {"comment": "Replaced"}),
    ("POST", "/unexpected-devices/{unexpected}/block", {"comment": "Unknown"}),
    ("POST", "/enrolment-tokens/{token}/withdraw", {}),
]
READS = [
    "/regions/{region}",
    "/sites/{site}",
    "/sites/{site}/contacts",
    "/terminals/{terminal}",
    "/terminals/{terminal}/placements",
    "/terminals/{terminal}/keys",
    "/terminals/{terminal}/identity-changes",
    "/terminals/{terminal}/presence-changes",
    "/terminals/{terminal}/outages",
    "/terminals/{terminal}/readings",
    "/terminals/{terminal}/events",
    "/devices/{device}",
]
LISTS = ["/regions", "/sites", "/terminals", "/devices", "/unexpected-devices", "/enrolment-tokens"]


def send(caller: ApiClient, method: str, path: str, body: dict[str, Any], names: Names) -> Any:
    filled = {name: fill(value, names) for name, value in body.items()}
    return caller.send(method, path.format(**names), filled or None, If_Match="*")


def fill(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [fill(one, names) for one in value]
    return value.format(**names) if isinstance(value, str) else value


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS)
def test_an_operation_needs_its_permission_where_the_row_is(db, fleet, method, path, body):
    own, foreign = two_regions(fleet)
    lead, reader = as_person(of_kanto()), as_person(seeing_all())

    refused = [send(as_person(of_kanto(role)), method, path, body, own) for role in ("Viewer", "Operator")]
    unseen = send(lead, method, path, body, foreign)
    seen = send(reader, method, path, body, foreign)
    done = send(lead, method, path, body, own)

    assert [problem_of(answer) for answer in refused] == [(403, "tms:forbidden")] * 2
    assert problem_of(unseen) == (404, "tms:not-found")
    assert problem_of(seen) == (403, "tms:forbidden")
    assert done.status_code < 300, done.content


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sites", {"code": "NEW", "name": "New", "region": "{region_name}"}, 403),
        ("/sites", {"code": "NEW", "name": "New"}, 403),
        ("/terminals", {"uid": "NEW-1", "site": "{site}"}, 422),
        ("/devices", {"serial": "NEW-1", "site": "{site}"}, 422),
        ("/devices", {"serial": "NEW-1"}, 403),
        ("/enrolment-tokens", {"site": "{site}"}, 422),
        ("/enrolment-tokens", {"region": "{region_name}"}, 422),
        ("/enrolment-tokens", {"terminal": "{terminal}"}, 422),
        ("/regions", {"name": "New"}, 403),
        ("/groups", {"name": "New"}, 403),
    ],
)
def test_nothing_is_created_outside_of_the_scope(db, fleet, path, body, status):
    own, foreign = two_regions(fleet)
    lead, reader = as_person(of_kanto()), as_person(seeing_all())
    names_a_row = any("{" in str(value) for value in body.values())

    unseen = send(lead, "POST", path, body, foreign)
    seen = send(reader, "POST", path, body, foreign)
    done = send(lead, "POST", path, body, own) if names_a_row else None

    assert unseen.status_code == status, unseen.content
    assert problem_of(seen) == (403, "tms:forbidden")
    assert done is None or done.status_code == 201, done.content


@pytest.mark.parametrize("path", READS)
def test_what_is_out_of_sight_does_not_exist(db, fleet, path):
    own, foreign = two_regions(fleet)
    viewer = as_person(of_kanto("Viewer"))

    assert viewer.get(path.format(**own)).status_code == 200
    assert problem_of(viewer.get(path.format(**foreign))) == (404, "tms:not-found")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_only_what_the_person_sees(db, fleet, path):
    two_regions(fleet)

    shown = as_person(of_kanto("Viewer")).get(path).content.decode()

    assert "SJK" in shown or "Kanto" in shown
    assert "OSK" not in shown
    assert "Kansai" not in shown


def test_a_terminal_moves_only_to_a_site_of_which_the_person_may_manage_terminals(db, fleet):
    own, foreign = two_regions(fleet)
    reader = as_person(seeing_all())

    moved = reader.send("PATCH", f"/terminals/{own['terminal']}", {"site": foreign["site"]}, If_Match="*")
    taken = reader.post(f"/sites/{own['site']}/terminals", {"terminals": [foreign["terminal"]]})

    assert problem_of(moved) == (403, "tms:forbidden")
    assert taken.status_code == 422
    assert fleet.site("SJK").terminals.count() == fleet.site("OSK").terminals.count() == 2


def test_a_site_changes_its_region_only_with_the_permission_for_both(db, fleet):
    own, foreign = two_regions(fleet)
    lead = as_person(of_kanto())

    given_away = lead.send("PATCH", f"/sites/{own['site']}", {"region": foreign["region_name"]}, If_Match="*")
    released = lead.send("PATCH", f"/sites/{own['site']}", {"region": ""}, If_Match="*")

    assert problem_of(given_away) == problem_of(released) == (403, "tms:forbidden")


def test_no_device_is_taken_from_a_terminal_out_of_scope(db, fleet):
    own, _ = two_regions(fleet)
    lead = as_person(of_kanto())

    placed = lead.post(f"/terminals/{own['terminal']}/replace", {"serial": "S-OSK-1"})
    spare = lead.post(f"/terminals/{own['terminal']}/replace", {"serial": "SPARE-OSK"})

    assert problem_of(placed) == problem_of(spare) == (403, "tms:forbidden")


def test_a_terminal_is_swapped_only_with_one_in_scope(db, fleet):
    own, foreign = two_regions(fleet)
    body = {"other": foreign["terminal"]}

    unseen = as_person(of_kanto()).post(f"/terminals/{own['terminal']}/swap", body)
    seen = as_person(seeing_all()).post(f"/terminals/{own['terminal']}/swap", body)

    assert unseen.status_code == 422
    assert problem_of(seen) == (403, "tms:forbidden")


def test_the_history_does_not_name_a_site_or_parent_out_of_sight(db, fleet, editor):
    own, foreign = two_regions(fleet)
    editor.send("PATCH", f"/terminals/{foreign['terminal']}", {"parent": foreign["other"]}, If_Match="*")
    editor.post(f"/sites/{own['site']}/terminals", {"terminals": [foreign["terminal"]]})
    path = f"/terminals/{foreign['terminal']}/identity-changes"

    shown = as_person(of_kanto("Viewer")).get(path).json()["items"]

    changes = [(item["field"], item["before"], item["after"]) for item in shown]
    assert changes == [("parent", None, None), ("site", None, "SJK")]
