"""The meaning of frames on one link, and when the next may be read."""

import asyncio

import pytest
from django.db import connection

from tests.ingest.messages import AT_TEXT, boot, reports, taken
from tests.ingest.node import Node
from tests.support.threads import in_thread
from tms.feed.change import Change
from tms.fleet.models import Presence, TerminalState
from tms.ingest import session as module
from tms.protocol import limits
from tms.protocol.close_codes import CloseCode
from tms.telemetry.models import Report

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(module, "UNACKNOWLEDGED_LIMIT", 5)


def refuse_reports(switch: str) -> None:
    """A database that accepts no report, as after a mistake in a migration."""
    sql = {
        ("sqlite", "on"): "CREATE TRIGGER no_report BEFORE INSERT ON telemetry_report "
        "BEGIN SELECT RAISE(ABORT, 'no'); END",
        ("sqlite", "off"): "DROP TRIGGER no_report",
        ("postgresql", "on"): "ALTER TABLE telemetry_report ADD CONSTRAINT no_report CHECK (false) NOT VALID",
        ("postgresql", "off"): "ALTER TABLE telemetry_report DROP CONSTRAINT no_report",
    }
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor, switch])


async def test_a_link_with_many_unacknowledged_reports_is_read_again_after_the_commit(node, database, terminal):
    session, wire = await node.booted(terminal)

    with database.waits():
        task = asyncio.ensure_future(taken(session, reports(1, 5)))
        await asyncio.sleep(0)
        was_waiting = not task.done()
    await task

    assert was_waiting
    assert wire.of("ack") == [{"seq": 5}]


async def test_events_count_as_much_as_reports(node, database, terminal):
    session, wire = await node.booted(terminal)
    events = [{"at": AT_TEXT, "code": "door_open"}] * 4

    with database.waits():
        task = asyncio.ensure_future(taken(session, reports(1, 1, events=events)))
        await asyncio.sleep(0)
        was_waiting = not task.done()
    await task

    assert was_waiting
    assert wire.of("ack") == [{"seq": 1}]


@pytest.fixture(autouse=True)
def no_refill(monkeypatch):
    """Stop the refill, so that nothing here depends on the time that a test takes."""
    monkeypatch.setattr(limits, "BACKFILL_PER_HOUR", 1e-3)


@pytest.fixture
def short_burst(monkeypatch):
    monkeypatch.setattr(limits, "BACKFILL_BURST", 100)


async def settled(node: Node) -> None:
    """Everything is committed, and what waited for that has gone on."""
    for _ in range(3):
        await asyncio.sleep(0)
    await node.batch.wait_until_idle()
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("params", [{"late": True}, {"boot_id": "boot-0"}], ids=["late", "of an earlier boot"])
async def test_backfill_beyond_the_burst_is_committed_and_read_more_slowly(node, terminal, short_burst, params):
    session, wire = await node.booted(terminal)

    await taken(session, reports(1, 35, **params))
    task = asyncio.ensure_future(taken(session, reports(36, 120, **params)))
    await settled(node)
    was_waiting = not task.done()
    session.close(CloseCode.REPLACED, "replaced by a newer session")
    await asyncio.wait_for(task, 5)

    assert was_waiting
    assert wire.of("ack")[-1]["seq"] == 120
    assert wire.errors == []


async def test_a_terminal_over_its_pace_is_not_read_on_its_next_link_either(node, terminal, short_burst):
    session, _ = await node.booted(terminal)
    task = asyncio.ensure_future(taken(session, reports(1, 150, late=True)))
    await settled(node)

    newer, _ = await node.session(terminal)
    booting = asyncio.ensure_future(taken(newer, boot()))
    await settled(node)
    is_booted, was_waiting = newer.is_booted, not booting.done()
    newer.close(CloseCode.REPLACED, "replaced by a newer session")
    await asyncio.gather(task, booting)

    assert (is_booted, was_waiting) == (True, True)


async def test_each_earlier_boot_that_a_report_names_counts_as_many_reports(node, terminal):
    session, _ = await node.booted(terminal)
    pace = node.links.backfill_pace

    await taken(session, reports(1, 2, boot_id="boot-0"))
    once = pace.used[terminal.pk][0]
    await taken(session, reports(1, 2, boot_id="boot-00"))

    assert once == pytest.approx(limits.BOOT_WEIGHT + 2 * 2)
    assert pace.used[terminal.pk][0] == pytest.approx(2 * once)


async def test_live_reports_count_as_backfill_only_beyond_their_ordinary_weight(node, terminal):
    session, _ = await node.booted(terminal)

    await taken(session, reports(1, 1, events=[{"at": AT_TEXT, "code": "door_open"}] * 10))
    ordinary = dict(node.links.backfill_pace.used)
    await taken(session, reports(2, 2, events=[{"at": AT_TEXT, "code": "door_open"}] * 20))

    assert ordinary == {}
    assert node.links.backfill_pace.used[terminal.pk][0] == 5


async def test_a_link_that_was_closed_while_it_waits_for_commits_is_released(node, database, terminal):
    session, _ = await node.booted(terminal)

    with database.waits():
        task = asyncio.ensure_future(taken(session, reports(1, 5)))
        await asyncio.sleep(0)
        session.close(CloseCode.REPLACED, "replaced by a newer session")
        await asyncio.wait_for(task, 5)


async def test_a_link_whose_reports_cannot_be_stored_gets_an_error_and_is_read_again(node, terminal):
    session, wire = await node.booted(terminal)
    await in_thread(refuse_reports, "on")

    try:
        await asyncio.wait_for(taken(session, reports(1, 5)), 5)
    finally:
        await in_thread(refuse_reports, "off")

    assert wire.errors == ["tms:unavailable"] * 5
    assert wire.closed is None


async def test_a_fenced_link_is_closed_even_without_a_message_of_the_feed(node, terminal):
    """Redis lost the message that a newer session began elsewhere."""
    session, wire = await node.booted(terminal)
    await in_thread(lambda: TerminalState.objects.update(session=7))

    await taken(session, reports(1, 1))
    await node.batch.wait_until_idle()

    assert wire.closed == CloseCode.REPLACED
    assert wire.of("ack") == []


async def test_the_end_of_a_link_makes_its_terminal_silent(node, terminal):
    session, _ = await node.booted(terminal)

    session.end()
    await node.batch.wait_until_idle()

    assert await in_thread(lambda: TerminalState.objects.get().presence) == Presence.SILENT
    assert node.links.by_terminal == {}


async def test_a_key_that_is_revoked_during_the_boot_of_its_link_closes_it(node, database, terminal):
    session, wire = await node.session(terminal)
    with database.waits():
        booting = asyncio.ensure_future(taken(session, boot()))
        await asyncio.sleep(0)
        node.links.changed(Change(revoked=frozenset({session.credential_id})))
    await booting

    assert wire.closed == CloseCode.CREDENTIAL_REVOKED
    assert wire.booted is None
    assert node.links.by_terminal == {}


async def test_frames_after_a_close_are_ignored(node, terminal):
    session, wire = await node.booted(terminal)
    session.close(CloseCode.REPLACED, "replaced")

    await taken(session, reports(1, 3))
    await node.batch.wait_until_idle()

    assert not await in_thread(Report.objects.exists)
    assert wire.of("ack") == []
