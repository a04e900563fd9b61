"""Groups over REST: names, members, and who decides about members."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.support import people
from tests.support.builders import Fleet, now
from tests.support.rest import ApiClient, invalid_fields, problem_of
from tms.alerts.maintenance import services as maintenance
from tms.alerts.maintenance.services import WindowScope
from tms.fleet.models import Group, IdentityChange
from tms.lib.calendar.recurrence import Recurrence
from tms.shifts.models import Note

pytestmark = pytest.mark.both


def test_members_are_added_and_removed_by_uid(editor, fleet):
    one, two = fleet.terminal(uid="T-1"), fleet.terminal(uid="T-2")
    group = fleet.group("Lobby", one)

    answer = editor.post(f"/groups/{group.pk}/members", {"add": ["T-1", "T-2"], "remove": []})
    again = editor.post(f"/groups/{group.pk}/members", {"add": ["T-2"], "remove": ["T-1"]})

    assert (answer.json(), again.json()) == ({"added": 1, "removed": 0}, {"added": 0, "removed": 1})
    assert list(group.terminals.all()) == [two]
    assert IdentityChange.objects.filter(field="groups").count() == 2


def test_an_unknown_uid_changes_nothing(editor, fleet):
    group = fleet.group("Lobby")
    fleet.terminal(uid="T-1")

    assert invalid_fields(editor.post(f"/groups/{group.pk}/members", {"add": ["T-1", "NIL"]})) == ["$.add"]
    assert group.terminals.count() == 0


def test_members_of_a_group_that_is_a_scope_need_the_permission_to_manage_people(fleet):
    group = fleet.group("Lobby", fleet.terminal(uid="T-1"))
    people.grant(people.person("mori", of=None), "Operator", group=group)
    fleet.terminal(uid="T-2")
    lead, administrator = people.person("lead", of="Manager"), people.person("admin", of=None)
    people.grant(administrator, "Administrator")
    path, body = f"/groups/{group.pk}/members", {"add": ["T-2"]}

    refused = ApiClient.of(lead).post(path, body)
    done = ApiClient.of(administrator).post(path, body)

    assert problem_of(refused) == (403, "tms:forbidden")
    assert "accounts.manage_people" in refused.json()["detail"]
    assert done.json() == {"added": 1, "removed": 0}


def plan_window(fleet: Fleet, group: Group) -> None:
    once = Recurrence(ZoneInfo("UTC"), now().replace(tzinfo=None, microsecond=0), timedelta(hours=1), "")
    maintenance.plan(once, WindowScope(groups=[group]), note="Switch", by=fleet.person(), at=now())


USERS: Mapping[str, Callable[[Fleet, Group], object]] = {
    "rule": lambda fleet, group: fleet.metric_rule(group=group),
    "grant": lambda fleet, group: people.grant(fleet.person("mori"), group=group),
    "window": plan_window,
    "owner": lambda fleet, group: Note.objects.create(by=fleet.person(), at=now(), text="x", owner_group=group),
}


@pytest.mark.parametrize("user", USERS)
def test_a_group_in_use_is_not_deleted_and_the_answer_says_why(editor, fleet, user):
    group = fleet.group("Lobby", fleet.terminal())
    USERS[user](fleet, group)

    answer = editor.send("DELETE", f"/groups/{group.pk}", If_Match="*")

    assert problem_of(answer) == (409, "tms:group-in-use")
    assert answer.json()["detail"].startswith("used by 1 ")
    assert Group.objects.exists()


def test_an_unused_group_is_deleted_and_its_terminals_stay(editor, fleet):
    terminal = fleet.terminal()
    group = fleet.group("Lobby", terminal)

    assert editor.send("DELETE", f"/groups/{group.pk}", If_Match="*").status_code == 204
    terminal.refresh_from_db()
