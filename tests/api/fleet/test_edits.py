"""Bulk edits over REST: dry run, application, reading, undo."""

import pytest

from tests.support import people
from tests.support.factories import now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tests.support.shift import open_boards
from tms.accounts.models import AuditEntry, Role
from tms.approvals.models import ApprovalRequest
from tms.boards.overview import on_shift
from tms.fleet.models import Lifecycle, Terminal, TerminalTag
from tms.transfer import running
from tms.transfer.models import Import

pytestmark = pytest.mark.both
TAG = {"edit": "tag", "query": "kind:kiosk", "tags": ["Lobby"]}


@pytest.fixture(autouse=True)
def three(fleet):
    for number in range(3):
        fleet.terminal(uid=f"A-{number}", site=fleet.site("SJK"), kind="kiosk")
    fleet.site("UEN")
    on_shift.report({}, range(1, 1_000))


def test_an_edit_is_tried_applied_read_and_undone(editor):
    tried = editor.post("/terminals/edits", TAG | {"dry_run": True}).json()
    assert (tried["id"], tried["changed"], tried["summary"]) == (None, 3, "tag lobby")
    assert not TerminalTag.objects.exists()

    done = editor.post("/terminals/edits", TAG | {"comment": "Spring"}).json()
    assert (done["state"], done["changed"], done["left_out"]) == ("applied", 3, 0)
    assert TerminalTag.objects.filter(name="lobby").count() == 3
    assert editor.get(f"/terminals/edits/{done['id']}").json() == done
    assert AuditEntry.objects.get(action="bulk-edited").comment == "Spring"

    undone = editor.post(f"/terminals/edits/{done['id']}/undo", {}).json()
    assert (undone["state"], undone["not_undone"], undone["undo_until"]) == ("undone", 0, None)
    assert not TerminalTag.objects.exists()
    again = editor.post(f"/terminals/edits/{done['id']}/undo", {})
    assert problem_of(again) == (409, "tms:cannot-undo")


def test_repeating_an_edit_changes_nothing(editor):
    first = editor.post("/terminals/edits", TAG, Idempotency_Key="k-1")

    assert editor.post("/terminals/edits", TAG, Idempotency_Key="k-1").json() == first.json()
    again = editor.post("/terminals/edits", TAG).json()

    assert (again["id"], again["changed"], again["unchanged"]) == (None, 0, 3)
    assert Import.objects.count() == 1


def test_what_is_left_out_says_why(editor):
    editor.post("/terminals/edits", {"edit": "state", "terminals": ["A-0"], "lifecycle": "retired", "confirm": "1"})
    Terminal.objects.filter(uid="A-0").update(lifecycle_at=now(-90 * 86_400))

    done = editor.post(
        "/terminals/edits", {"edit": "state", "query": "state:retired", "lifecycle": "in_service"}
    ).json()

    assert done["changed"] == 0
    assert [row["uid"] for row in done["first_left_out"]] == ["A-0"]
    assert "30 days" in done["first_left_out"][0]["reason"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"edit": "tag", "tags": ["a"]}, ["$.query"]),
        ({"edit": "tag", "tags": ["a"], "query": "x", "terminals": ["A-0"]}, ["$.query"]),
        ({"edit": "tag", "tags": ["a"], "query": "kind="}, ["$.query"]),
        ({"edit": "tag", "tags": ["two words"], "query": ""}, ["$.tags"]),
        ({"edit": "attribute", "attribute": "none", "query": ""}, ["$.attribute"]),
        ({"edit": "group", "group": 7, "query": ""}, ["$.group"]),
        ({"edit": "state", "lifecycle": "planned", "query": ""}, ["$.lifecycle"]),
        ({"edit": "move", "site": "XXX", "query": ""}, ["$.site"]),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(editor, body, fields):
    assert invalid_fields(editor.post("/terminals/edits", body)) == fields
    assert not Import.objects.exists()


def test_each_edit_needs_its_permission_for_the_rows(fleet):
    fleet.terminal(uid="B-0", site=fleet.site("FAR"))
    mover = people.person("mover", of=None)
    role = Role.objects.create(name="Mover", permissions=["manage_terminals"])
    mover.grants.create(role=role, site=fleet.site("SJK"))
    mover.grants.create(role=role, site=fleet.site("UEN"))
    client = ApiClient.of(mover)

    move = {"edit": "move", "site": "UEN"}
    done = client.post("/terminals/edits", move | {"query": "uid:A-0 or uid:B-0"}).json()

    assert (done["changed"], done["left_out"]) == (1, 0)
    assert Terminal.objects.get(uid="B-0").site.code == "FAR"
    assert invalid_fields(client.post("/terminals/edits", move | {"terminals": ["A-1", "B-0"]})) == ["$.terminals"]
    assert client.post("/terminals/edits", TAG).status_code == 403
    assert ApiClient.of(people.person("viewer")).post("/terminals/edits", TAG).status_code == 403
    other = ApiClient.of(people.person("operator", of="Operator"))
    assert other.get(f"/terminals/edits/{done['id']}").status_code == 404


def test_retiring_many_asks_a_second_person(editor, settings):
    settings.APPROVAL_TERMINALS = 2
    body = {"edit": "state", "query": "", "lifecycle": "retired", "comment": "renewal"}
    alone = editor.post("/terminals/edits", body)
    assert problem_of(alone) == (409, "tms:confirmation-needed")
    assert not Import.objects.exists()
    colleague = people.person("colleague", of="Manager")
    open_boards(colleague)

    asked = editor.post("/terminals/edits", body)
    assert problem_of(asked) == (409, "tms:approval-needed")
    people.signed_in(colleague).post(f"/approvals/{ApprovalRequest.objects.get().pk}/", {"decision": "approve"})
    running.advance(now())

    assert Terminal.objects.filter(lifecycle=Lifecycle.RETIRED).count() == 3
