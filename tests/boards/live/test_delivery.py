"""How frames reach a reader: in order, in chunks, and with only the newest state for slow readers."""

import json
import time

import pytest
from django.db import OperationalError

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.boards.live import board_hub as module
from tms.boards.live import live_page, render_worker
from tms.boards.live.render_worker import RenderWorker
from tms.boards.live.subscriber import LAGGING_BYTES
from tms.boards.pages import OverviewPage, TerminalPage
from tms.feed.change import Change
from tms.feed.hub import FULL_CHANGE, hub
from tms.feed.publisher import publish
from tms.metrics import instruments

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


async def test_changes_between_two_frames_are_sent_once_with_their_newest_state(board, settings, fleet):
    settings.FRAME_INTERVAL_S = 0.5
    terminal = await in_thread(fleet.online)
    async with board("/terminals/") as opened:
        await opened.painted()

        for value in range(20):
            await in_thread(lambda value=value: change(terminal, metrics={"paper_pct": value}))

        frames = [await opened.frame()]
        while "19%" not in frames[-1].html:
            frames.append(await opened.frame())
        assert len(frames) < 10


@pytest.mark.parametrize(
    ("spent_s", "interval_s"),
    [(0.0, 0.1), (0.002, 0.1), (0.006, 0.198), (0.02, 0.25), (0.04, 0.4), (0.1, 0.5), (2.0, 0.5)],
)
def test_expensive_passes_leave_the_cpu_to_boots_and_totals_change_twice_a_second(spent_s: float, interval_s: float):
    assert module.render_interval(spent_s, max_s=0.25) == pytest.approx(interval_s)


async def test_readings_wait_for_the_next_frame_and_a_status_does_not(board, settings, monkeypatch, fleet):
    monkeypatch.setattr(module, "PASS_S", 3_600)
    settings.FRAME_INTERVAL_S = 3_600
    terminal, other = await in_thread(lambda: (fleet.online(), fleet.online()))
    async with board("/terminals/") as opened:
        await opened.painted()

        await in_thread(lambda: change(other, metrics={"paper_pct": 5.0}))
        await in_thread(lambda: change(terminal, status="fault"))

        frame = await opened.frame()
        assert set(frame.ids) == {f"terminal-{terminal.pk}", f"terminal-{other.pk}"}


@pytest.mark.parametrize(
    ("path", "shown", "another"),
    [
        ("/terminals/", True, True),
        ("/terminals/?q=T-shown", True, False),
        ("/terminals/?q=T-shown&status=fault", True, True),
        ("/terminals/T-shown/", True, False),
        ("/", False, False),
        ("/alerts/", False, False),
    ],
)
async def test_a_status_is_urgent_for_the_boards_that_show_it(board, room, fleet, path, shown, another):
    first, second = await in_thread(lambda: (fleet.online(uid="T-shown"), fleet.online(uid="T-another")))
    async with board(path) as opened:
        await opened.painted()
        (page,) = room.live_pages.values()

        assert (page.shows_status({first.pk}), page.shows_status({second.pk})) == (shown, another)


async def test_a_status_on_no_board_waits_like_a_reading(board, room, fleet):
    await in_thread(lambda: fleet.online(uid="T-shown"))
    other = await in_thread(fleet.online)
    async with board("/terminals/?q=T-shown") as opened:
        await opened.painted()

        seen = [room.is_shown_at_once(change) for change in changes_of_status(other.pk)]

    assert seen == [False, True, True, True]


def changes_of_status(pk: int) -> list[Change]:
    """A status; with a presence; of more terminals than are looked up; of everything."""
    one, many = frozenset({pk}), frozenset(range(pk, pk + module.MAX_STATUSES + 1))
    return [
        Change(terminals=one, status=one),
        Change(terminals=one, status=one, presence=one),
        Change(terminals=many, status=many),
        Change(everything=True),
    ]


async def test_a_patch_has_at_most_fifty_rows(board, fleet):
    terminals = await in_thread(lambda: fleet.terminals(100, presence="online"))
    async with board("/terminals/") as opened:
        await opened.painted()

        await in_thread(lambda: change(*terminals, metrics={"paper_pct": 5.0}))
        first, second = await opened.frame(), await opened.frame()

    assert (len(first.ids), len(second.ids)) == (50, 50)
    assert len({*first.ids, *second.ids}) == 100


async def test_rows_for_which_there_is_no_time_follow_in_the_order_of_the_list(board, fleet, monkeypatch):
    monkeypatch.setattr(live_page, "MAX_RENDERING_S", 0.0)
    seen, unseen = await in_thread(lambda: (fleet.terminals(3, presence="silent"), fleet.terminals(3)))
    expected = [f"terminal-{terminal.pk}" for terminal in (*seen, *unseen)]
    async with board("/terminals/?presence=silent") as opened:
        painted = await opened.painted()

        await in_thread(lambda: change(*seen, *unseen, presence="silent", metrics={"paper_pct": 5.0}))
        frames = [await opened.frame() for _ in expected]

    assert painted.list[1] == expected[:3]
    assert [row for frame in frames for row in frame.ids if row in expected] == expected
    assert [len(frame.list[1]) for frame in frames[-3:]] == [4, 5, 6]


async def test_more_new_rows_than_fit_into_a_patch_are_a_repaint(board, fleet):
    terminals = await in_thread(lambda: fleet.terminals(60, presence="online"))
    async with board("/terminals/?presence=silent") as opened:
        await opened.painted()

        await in_thread(lambda: change(*terminals, presence="silent"))

        frame = await opened.frame()
        assert frame.kind == "repaint"
        assert len(frame.list[1]) == 60
        assert {f"terminal-{terminal.pk}" for terminal in terminals} <= set(frame.ids)


async def test_a_slow_reader_gets_nothing_and_then_the_newest_state_once(board, fleet):
    terminal = await in_thread(fleet.online)
    coalesced = instruments.BOARD_COALESCED._value.get()
    async with board("/terminals/") as slow, board("/terminals/") as quick:
        await slow.painted()
        await quick.painted()
        slow.connection.unwritten = LAGGING_BYTES + 1
        while not slow.connection.sent.empty():
            await slow.frame("beat", "patch")

        for value in range(3):
            await in_thread(lambda value=value: change(terminal, metrics={"paper_pct": value}))
            await quick.showing(f">{value}%<")
        missed = slow.connection.sent.qsize()
        slow.connection.unwritten = 0

        frame = await slow.frame()
        assert missed == 0
        assert frame.ids == [f"terminal-{terminal.pk}"]
        assert ">2%<" in frame.html
        assert instruments.BOARD_COALESCED._value.get() == coalesced + 2


async def test_a_row_added_while_the_reader_was_slow_is_in_the_frame_of_its_list(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/?presence=silent") as slow, board("/terminals/?presence=silent") as quick:
        await slow.painted()
        await quick.painted()
        slow.connection.unwritten = LAGGING_BYTES + 1

        await in_thread(lambda: change(terminal, presence="silent"))
        await quick.until(lambda frame: frame.list[0] == "terminals")
        await in_thread(lambda: change(terminal, metrics={"paper_pct": 5.0}))
        await quick.showing(">5%<")
        slow.connection.unwritten = 0

        frame = await slow.until(lambda frame: frame.list[0] == "terminals")
        assert frame.list[1] == [f"terminal-{terminal.pk}"]
        assert ">5%<" in frame.html


async def test_a_gap_in_the_feed_repaints_every_board(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/") as opened:
        await opened.painted()
        await in_thread(lambda: type(terminal.state).objects.update(presence="offline"))

        hub()._notify(FULL_CHANGE)

        frame = await opened.frame("repaint")
        assert 'data-presence="offline"' in frame.html


async def test_a_browser_that_missed_a_frame_requests_a_repaint(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/") as opened:
        await opened.painted()

        opened.send_text(json.dumps({"ask": "repaint"}))

        frame = await opened.frame()
        assert frame.kind == "repaint"
        assert f"terminal-{terminal.pk}" in frame.ids


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"ask": "money"}', '{"ask": "repaint", "more": 1}', '"' + "x" * 300 + '"']
)
async def test_any_other_message_of_a_browser_closes_its_socket(board, text):
    async with board("/") as opened:
        opened.send_text(text)

        assert await opened.closed() == 4400


async def test_a_browser_with_too_many_requests_is_closed(board):
    async with board("/") as opened:
        for _ in range(61):
            opened.send_text('{"ask": "repaint"}')

        assert await opened.closed() == 4429


async def test_while_nothing_changes_beats_show_that_the_board_is_current(board):
    async with board("/") as opened:
        await opened.painted()

        beats = [await opened.beat() for _ in range(3)]

    assert {beat.html for beat in beats} == {""}
    assert {beat.freshness["behind_s"] for beat in beats} == {0.0}


async def test_the_age_of_the_newest_data_is_sent(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/") as opened:
        await opened.painted()

        await in_thread(lambda: change(terminal, metrics={"paper_pct": 1.0}))
        frame = await opened.frame("beat")

    assert frame.freshness["newest_at"] is not None


async def test_a_board_whose_subject_was_deleted_closes(board, fleet):
    gone = await in_thread(lambda: fleet.online(uid="T-1"))
    pk = gone.pk
    async with board("/terminals/T-1/") as opened:
        await opened.painted()

        await in_thread(gone.delete)
        await in_thread(lambda: publish(Change(terminals=frozenset({pk}))))

        assert await opened.closed() == 4404


async def test_a_failing_page_does_not_affect_the_others_and_reads_everything_the_next_time(board, fleet, monkeypatch):
    terminal = await in_thread(lambda: fleet.online(uid="T-1"))
    page_state = TerminalPage.page_state

    def fail(*_: object) -> None:
        raise ValueError("a page with a fault")

    async with board("/terminals/T-1/") as broken, board("/terminals/") as other:
        await broken.painted()
        await other.painted()
        monkeypatch.setattr(TerminalPage, "page_state", fail)
        await in_thread(lambda: change(terminal, presence="offline"))
        await other.showing(f"terminal-{terminal.pk}", 'data-presence="offline"')
        await broken.beat()

        monkeypatch.setattr(TerminalPage, "page_state", page_state)
        await in_thread(lambda: publish(Change(alerts=frozenset({0}))))

        await broken.showing('id="state"', 'data-presence="offline"')


async def test_the_overview_is_updated_while_nothing_changes(board, fleet, monkeypatch):
    monkeypatch.setattr(OverviewPage, "lasts_s", 0.05)
    terminal = await in_thread(fleet.online)
    move = await in_thread(lambda: factories.moved(terminal, "silent", "online", at=now(-15 * 60 + 1)))
    async with board("/") as opened:
        painted = await opened.frame("repaint")

        frame = await opened.until(lambda frame: frame.list == ("changes", []))

    assert f"presence-{move.pk}" in painted.ids
    assert frame.kind == "patch"


async def test_during_a_database_outage_the_board_shows_its_delay_and_then_catches_up(board, fleet, monkeypatch):
    terminal = await in_thread(fleet.online)
    render = RenderWorker._time

    async def fail(*_: object) -> None:
        raise OperationalError("the database is away")

    async with board("/terminals/") as opened:
        await opened.painted()
        monkeypatch.setattr(RenderWorker, "_time", fail)
        await in_thread(lambda: change(terminal, presence="offline"))
        beat = await opened.beat()
        while not beat.freshness["behind_s"]:
            beat = await opened.beat()

        monkeypatch.setattr(RenderWorker, "_time", render)

        await opened.showing(f"terminal-{terminal.pk}", 'data-presence="offline"')
        while beat.freshness["behind_s"]:
            beat = await opened.beat()


async def test_after_an_unexpected_error_the_board_shows_the_change(board, fleet, monkeypatch):
    terminal = await in_thread(fleet.online)
    prefetched = render_worker._prefetch

    def fail_once(_: object) -> None:
        monkeypatch.setattr(render_worker, "_prefetch", prefetched)
        raise ValueError("unexpected")

    async with board("/terminals/") as opened:
        await opened.painted()
        monkeypatch.setattr(render_worker, "_prefetch", fail_once)

        await in_thread(lambda: change(terminal, presence="offline"))

        await opened.showing(f"terminal-{terminal.pk}", 'data-presence="offline"')


async def test_a_change_during_a_failed_pass_counts_as_waiting(room):
    taken = room.take()
    room.collect(Change(alerts=frozenset({1})))

    room.restore(taken)

    assert room._waited_s(time.monotonic() + module.LATE_S) > module.LATE_S


async def test_a_person_who_saw_an_alert_resolved_sees_it_again_when_it_reopens(board, fleet):
    rule = await in_thread(fleet.metric_rule)
    terminal = await in_thread(fleet.online)
    async with board("/alerts/") as opened:
        await opened.painted()
        for _ in range(2):
            alert = await in_thread(lambda: factories.alert(fleet, rule=rule, terminal=terminal))
            frame = await opened.until(lambda frame: frame.list[0] == "alerts" and frame.list[1] != [])
            assert f'id="alert-{alert.pk}"' in frame.html

            await in_thread(lambda alert=alert: factories.resolved(alert))
            await opened.until(lambda frame: frame.list == ("alerts", []))
