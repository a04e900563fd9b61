"""What happened to a terminal, by cursor and within a period."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support import factories
from tests.support.builders import AT, later
from tests.support.rest import ApiClient, invalid_fields
from tms.fleet.models import Outage, Terminal, TerminalKind
from tms.fleet.terminals.services import TerminalValues, edit_terminal

pytestmark = pytest.mark.both


def report(terminal: Terminal, number: int, at: datetime) -> None:
    factories.report(terminal, number, at=at, metrics={"cpu": float(number)})


def event(terminal: Terminal, number: int, at: datetime) -> None:
    factories.event(terminal, f"code_{number}", at=at)


def change_presence(terminal: Terminal, number: int, at: datetime) -> None:
    factories.moved(terminal, "online", "silent", at=at)


def lose(terminal: Terminal, number: int, at: datetime) -> None:
    Outage.objects.create(terminal=terminal, began_at=at, ended_at=at + timedelta(seconds=30), lost_by="reboot")


def rename(terminal: Terminal, number: int, at: datetime) -> None:
    values = TerminalValues(terminal.site, TerminalKind(terminal.kind), f"Lane {number}")
    edit_terminal(terminal, values, by=None, at=at)


KINDS = {
    "readings": report,
    "events": event,
    "presence-changes": change_presence,
    "outages": lose,
    "identity-changes": rename,
}


def instant_of(item: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(item.get("at") or item["began_at"])


def all_items(caller: ApiClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        page = caller.get(following).json()
        found += page["items"]
        following = page["next"]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_read_once_and_in_order_by_cursor(editor, fleet, kind):
    terminal, other = fleet.terminal(uid="T-1"), fleet.terminal(uid="T-2")
    for number in range(5):
        KINDS[kind](terminal, number, later(number * 60))
    KINDS[kind](other, 9, AT)

    found = all_items(editor, f"/terminals/T-1/{kind}?limit=2")

    assert [instant_of(item) for item in found] == [later(number * 60) for number in range(5)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_period_includes_its_first_instant_and_leaves_out_its_last(editor, fleet, kind):
    terminal = fleet.terminal(uid="T-1")
    for number in range(4):
        KINDS[kind](terminal, number, later(number * 60))
    period = {"since": later(60).isoformat(), "until": later(180).isoformat()}

    found = editor.get(f"/terminals/T-1/{kind}", period).json()["items"]

    assert [instant_of(item) for item in found] == [later(60), later(120)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_period_is_refused(editor, fleet, kind):
    fleet.terminal(uid="T-1")

    assert invalid_fields(editor.get(f"/terminals/T-1/{kind}", {"since": "yesterday"})) == ["?since"]


def test_reports_of_one_instant_are_all_read(editor, fleet):
    terminal = fleet.terminal(uid="T-1")
    for number in range(5):
        report(terminal, number, AT)

    found = all_items(editor, "/terminals/T-1/readings?limit=2")

    assert [item["metrics"]["cpu"] for item in found] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_an_outage_that_lasts_is_part_of_every_later_period(editor, fleet):
    Outage.objects.create(terminal=fleet.terminal(uid="T-1"), began_at=AT, lost_by="connection_lost")

    found = editor.get("/terminals/T-1/outages", {"since": later(3_600).isoformat()}).json()["items"]

    assert [(item["cause"], item["ended_at"]) for item in found] == [("", None)]


def test_a_change_of_site_and_groups_is_shown_by_names(editor, fleet):
    terminal = fleet.terminal(uid="T-1", site=fleet.site("OSK"))
    group = fleet.group("Lobby")
    fleet.site("SJK")
    editor.post("/sites/SJK/terminals", {"terminals": ["T-1"]})
    editor.post(f"/groups/{group.pk}/members", {"add": ["T-1"]})

    found = editor.get("/terminals/T-1/identity-changes").json()["items"]

    shown = [(item["field"], item["before"], item["after"], item["by"]) for item in found]
    assert shown == [("site", "OSK", "SJK", "boss"), ("groups", [], ["Lobby"], "boss")]
    assert terminal.pk
