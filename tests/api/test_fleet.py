"""Sites, groups and terminals over the API, and the pagination of lists."""

import pytest

from tests.support.rest import invalid_fields
from tms.fleet.models import Presence

pytestmark = pytest.mark.both


def uids(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["uid"] for item in answer.json()["items"]]


def test_a_terminal_is_returned_with_its_identity_and_state(watcher, fleet):
    router = fleet.online(uid="R-1")
    terminal = fleet.online(uid="T-9", parent=router, label="Lane 3", status="ok", metrics={"temperature_c": 41.5})
    fleet.group("Lobby", terminal)

    result = watcher.get("/terminals/T-9").json()

    assert (result["uid"], result["site"]["code"], result["label"], result["parent"]) == ("T-9", "SJK", "Lane 3", "R-1")
    assert (result["presence"], result["status"], result["metrics"]) == ("online", "ok", {"temperature_c": 41.5})
    assert result["groups"] == ["Lobby"]


def test_terminals_are_filtered(watcher, fleet):
    lobby = fleet.online(uid="A-1", kind="kiosk", label="Gate 7")
    fleet.with_presence(Presence.OFFLINE, uid="A-2", site=fleet.site("OSK"))
    fleet.terminal(uid="A-3", kind="payment")
    fleet.group("Lobby", lobby)

    assert uids(watcher.get("/terminals")) == ["A-1", "A-2", "A-3"]
    assert uids(watcher.get("/terminals", {"site": "OSK"})) == ["A-2"]
    assert uids(watcher.get("/terminals", {"presence": ["offline", "never"]})) == ["A-2", "A-3"]
    assert uids(watcher.get("/terminals", {"group": "Lobby"})) == uids(watcher.get("/terminals", {"q": "gate 7"}))
    assert uids(watcher.get("/terminals", {"kind": "payment"})) == ["A-3"]
    assert uids(watcher.get("/terminals", {"lifecycle": ["in_service"], "presence": "online"})) == ["A-1"]
    assert uids(watcher.get("/terminals", {"status": "fault"})) == []


def test_pages_link_to_the_next_one_and_end(watcher, fleet):
    fleet.terminals(5)
    seen, address = [], "/terminals?limit=2&site=SJK"

    while address:
        answer = watcher.get(address)
        seen += uids(answer)
        address = answer.json()["next"]
        assert answer.get("Link", "") == (f'<{address}>; rel="next"' if address else "")

    assert seen == sorted(seen)
    assert len(set(seen)) == 5


def test_a_row_added_or_removed_between_two_pages_moves_no_other(watcher, fleet):
    for uid in ("B", "D", "F"):
        fleet.terminal(uid=uid)
    following = watcher.get("/terminals?limit=2").json()["next"]
    fleet.terminal(uid="A")

    assert uids(watcher.get(following)) == ["F"]


def test_a_foreign_cursor_is_refused(watcher, fleet):
    fleet.terminals(3)
    cursor = watcher.get("/terminals?limit=1").json()["next"].partition("cursor=")[2].partition("&")[0]

    for other in ("x", "T-1", f"{cursor}x", "%00", "9" * 900, "e30:abc"):
        assert invalid_fields(watcher.get(f"/terminals?cursor={other}")) == ["?cursor"]
    assert invalid_fields(watcher.get(f"/sites?cursor={cursor}")) == ["?cursor"]


def test_the_number_of_queries_does_not_grow_with_the_page(watcher, fleet, django_assert_max_num_queries):
    fleet.terminals(30)

    with django_assert_max_num_queries(8):
        assert len(uids(watcher.get("/terminals"))) == 30


def test_sites_and_groups_are_listed_and_a_site_is_read(watcher, fleet):
    fleet.site("OSK", name_ja="大阪")
    fleet.group("Lobby")

    assert [site["code"] for site in watcher.get("/sites").json()["items"]] == ["OSK"]
    assert [group["name"] for group in watcher.get("/groups").json()["items"]] == ["Lobby"]
    assert watcher.get("/sites/OSK").json()["name_ja"] == "大阪"
    assert watcher.get("/sites/NO").status_code == watcher.get("/terminals/NO").status_code == 404
