"""The statement for reports of online terminals does what the transaction would do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.builders import AT, Link, later
from tests.support.ingest.commit import booted, write
from tms.fleet.models import Presence, PresenceChange, Terminal, TerminalState
from tms.fleet.presence.store import timing
from tms.ingest import commit
from tms.ingest.commit import online_reports
from tms.ingest.items import Item
from tms.lib.db.clock import db_clock
from tms.lib.db.loop_connection import PLANNING
from tms.protocol import frames
from tms.telemetry.models import Event, LateHour, Report

pytestmark = [pytest.mark.services, pytest.mark.django_db]

EVENT = frames.TerminalEvent(AT, "reader_fault")
UNLIKE = {"terminal", "session", "node", "due_at"}
"""Columns of a state that may differ between the two compared terminals."""


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The time of all items, so that no hour has ended."""
    monkeypatch.setattr(db_clock(), "now", lambda: AT)


def attempt(*items: Item) -> online_reports.Written:
    return online_reports.write(items, timing())


@pytest.fixture
def link(fleet) -> Link:
    return booted(fleet.terminal())


def test_reports_and_heartbeats_of_several_terminals_are_one_statement(fleet, link, django_assert_num_queries):
    other = booted(fleet.terminal())
    items = [link.report(1), other.heartbeat(at=later(1)), link.report(2, at=later(2), status="fault")]

    with django_assert_num_queries(0):  # of Django's cursors, which the statement does not use
        written = attempt(*items)

    assert ({id(item) for item in written.items}, written.rest) == ({id(item) for item in items}, [])
    assert (written.terminals, written.inserted) == ({link.terminal.pk, other.terminal.pk}, 2)


def test_it_returns_the_terminals_whose_status_changed(fleet, link):
    same, silent = booted(fleet.terminal()), booted(fleet.terminal())
    write(link.report(1, status="ok"), same.report(1, status="ok"), silent.report(1, status="ok"))

    written = attempt(link.report(2, status="fault"), same.report(2, status="ok"), silent.report(2))

    assert written.status == {link.terminal.pk}


@pytest.mark.parametrize("analysed", [None, Presence.OFFLINE, Presence.ONLINE])
@pytest.mark.parametrize("planning", [PLANNING, "SET plan_cache_mode = force_generic_plan"])
def test_the_plan_reads_each_row_once_whatever_statistics_say(link, analysed, planning):
    """There are none yet, or they say that nobody or everybody is online, and of a new table that it is small."""
    site = link.terminal.site
    made = Terminal.objects.bulk_create(Terminal(uid=f"M-{number}", site=site, kind="kiosk") for number in range(2_000))
    TerminalState.objects.bulk_create(TerminalState(terminal=terminal, presence=Presence.ONLINE) for terminal in made)
    if analysed is not None:
        TerminalState.objects.update(presence=analysed)

    nodes = list(nodes_of(plan(planning, analyse=analysed is not None)))

    read = {node["Node Type"] for node in nodes if node.get("Relation Name") == "fleet_terminalstate"}
    loops = [node for node in nodes if node["Node Type"] == "Nested Loop"]
    inner = {each["Node Type"] for loop in loops for each in nodes_of(loop["Plans"][1])}
    assert "state_presence" not in {node.get("Index Name") for node in nodes}
    assert "CTE Scan" not in inner, "each terminal is compared with each row"
    if planning == PLANNING:
        assert "Seq Scan" not in read


def plan(planning: str, *, analyse: bool) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"{planning}; {'ANALYZE fleet_terminalstate' if analyse else ''}")
        cursor.execute(f"PREPARE plan AS {online_reports.sql('$1', '$2', '$3')}")
        cursor.execute("EXPLAIN (FORMAT JSON) EXECUTE plan('[]', '{}', 1)")
        ((found,),) = cursor.fetchall()
        cursor.execute("DEALLOCATE plan; RESET plan_cache_mode; RESET enable_seqscan")
    return found[0]["Plan"]


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for each in node.get("Plans", ()):
        yield from nodes_of(each)


@pytest.mark.parametrize(
    "items",
    [
        lambda link: [link.report(0)],
        lambda link: [link.report(1, late=True)],
        lambda link: [link.report(1, taken_at=AT - timedelta(days=1))],
        lambda link: [link.report(1, boot_id="earlier")],
        lambda link: [link.report(1, events=(EVENT,))],
        lambda link: [link.report(1), link.report(1)],
        lambda link: [link.report(2), link.report(1)],
        lambda link: [link.report(1), link.lost()],
        lambda link: [link.goodbye("reboot"), link.report(1)],
        lambda link: [Link(link.terminal).report(1)],
        lambda link: [link.report(1), Link(link.terminal).boot("boot-2")],
    ],
)
def test_items_that_need_the_transaction_are_left_with_all_items_of_their_terminal(fleet, link, items):
    other = booted(fleet.terminal()).report(1)
    left = items(link)

    written = attempt(*left, other)

    assert (written.items, written.rest) == ([other], left)


@pytest.mark.parametrize(
    "state", [{"presence": Presence.SILENT}, {"session": 2}, {"seq": 5}], ids=["silent", "replaced", "stored before"]
)
def test_a_report_that_conflicts_with_the_database_is_left(link, state):
    TerminalState.objects.filter(pk=link.terminal.pk).update(**state)
    report = link.report(5)

    assert attempt(report).rest == [report]
    assert not Report.objects.exists()


def test_a_report_that_triggers_a_rule_is_left(fleet):
    fleet.metric_rule(limit=75)
    link = booted(fleet.terminal())

    hot = link.report(1, metrics={"temperature_c": 80.0})

    assert attempt(hot).rest == [hot]


FRAMES = st.one_of(
    st.fixed_dictionaries(
        {"seq": st.integers(0, 9)},
        optional={
            "status": st.sampled_from(["ok", "degraded", "fault"]),
            "metrics": st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(-9, 9)),
            "late": st.just(True),
            "boot_id": st.just("earlier"),
            "events": st.just((EVENT,)),
            "taken_at": st.sampled_from([AT - timedelta(days=1), AT + timedelta(days=1)]),
        },
    ),
    st.sampled_from(["heartbeat", "goodbye", "lost", "boot"]),
)
BATCHES = st.lists(st.lists(FRAMES, min_size=1, max_size=5), max_size=6)


@given(BATCHES)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_frames_have_the_same_result_as_in_the_transaction(fleet, batches):
    one, other = booted(fleet.terminal()), booted(fleet.terminal())
    second = 0
    for batch in batches:
        start, second = second, second + len(batch)
        write(*(_item(one, frame, later(start + position)) for position, frame in enumerate(batch)))
        _in_transaction(*(_item(other, frame, later(start + position)) for position, frame in enumerate(batch)))

    assert _stored(one) == _stored(other)


def _in_transaction(*items: Item) -> None:
    result = commit.write_in_transaction(items)
    for item in result.boots:
        item.link.on_booted(item.outcome)


def _item(link: Link, frame: Any, at: Any) -> Item:
    match frame:
        case "heartbeat":
            return link.heartbeat(at=at)
        case "goodbye":
            return link.goodbye("reboot", at=at)
        case "lost":
            return link.lost(at=at)
        case "boot":
            return link.boot(at=at)
    return link.report(at=at, **frame)


def _stored(link: Link) -> Any:
    terminal = link.terminal
    columns = [field.name for field in TerminalState._meta.fields if field.name not in UNLIKE]
    report = ("boot__boot_id", "seq", "at", "received_at", "late", "undated", "status", "metrics")
    return (
        TerminalState.objects.filter(pk=terminal.pk).values(*columns).get(),
        list(Report.objects.filter(terminal=terminal).order_by("boot__boot_id", "seq").values_list(*report)),
        list(Event.objects.filter(terminal=terminal).order_by("at", "pk").values_list("at", "code", "late")),
        list(LateHour.objects.filter(terminal=terminal).order_by("hour").values_list("hour")),
        list(PresenceChange.objects.filter(terminal=terminal).order_by("pk").values_list("at", "presence", "cause")),
    )
