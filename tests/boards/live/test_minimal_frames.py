"""What a board is not sent again: counted in elements and words, not in seconds."""

import re

import pytest

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.boards.live.leaf_patches import differing
from tms.boards.live.subscriber import LAGGING_BYTES
from tms.boards.pages import OverviewPage

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("address", ["/", "/alerts/"])
async def test_while_nothing_changes_a_beat_is_all_that_is_sent(board, fleet, monkeypatch, address):
    terminal = await in_thread(lambda: fleet.with_presence("offline"))
    await in_thread(lambda: factories.alert(fleet, terminal=terminal, opened_at=now(-7200)))
    monkeypatch.setattr(OverviewPage, "lasts_s", 0.0)
    async with board(address) as opened:
        await opened.painted()
        while (await opened.frame("patch", "beat")).kind != "beat":
            pass

        frames = [await opened.frame("patch", "repaint", "beat") for _ in range(8)]

        assert [frame.data for frame in frames if frame.kind != "beat"] == []


async def test_a_row_with_the_same_content_is_not_sent_again(board, fleet):
    """No row of an alert about a reading shows the presence of its terminal."""
    terminal = await in_thread(fleet.online)
    alert = await in_thread(lambda: factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule(), value=81.0))
    async with board("/") as opened:
        await opened.painted()

        await in_thread(lambda: change(terminal, presence="silent"))

        frame = await opened.showing("total-silent")
        assert f"alert-{alert.pk}" not in frame.ids


async def test_the_result_of_the_verification_is_sent_once_to_each_board(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/") as opened:
        while opened.freshness["database"]["state"] != "equal":
            await opened.frame("repaint", "patch", "beat")
        seen_states = {str(opened.freshness["database"])}
        for value in range(10):
            await in_thread(lambda value=value: change(terminal, metrics={"paper_pct": value}))
            kind = ""
            while kind != "patch":  # a beat before it may bring the result
                frame = await opened.frame("patch", "beat")
                kind = frame.kind
                assert ("database" in frame.data["proof"]) is (str(opened.freshness["database"]) not in seen_states)
                seen_states.add(str(opened.freshness["database"]))


async def test_a_frame_contains_no_relative_times(board, fleet):
    terminal = await in_thread(lambda: fleet.with_presence("silent"))
    await in_thread(lambda: factories.alert(fleet, terminal=terminal))
    for page in ("/", "/alerts/"):
        async with board(page) as opened:
            html = (await opened.frame("repaint")).html

        assert "<time " in html
        assert html.count("<time ") == html.count("></time>"), page


async def test_a_resolved_alert_sends_no_row_and_only_changed_numbers(board, fleet):
    rule = await in_thread(fleet.metric_rule)
    alerts = await in_thread(lambda: [factories.alert(fleet, rule=rule, opened_at=now(-60 - n)) for n in range(8)])
    async with board("/alerts/") as opened:
        await opened.painted()

        await in_thread(lambda: factories.resolved(alerts[0]))

        frame = await opened.until(lambda frame: frame.list[0] == "alerts")
        assert frame.data["list"]["gone"] == [f"alert-{alerts[0].pk}"]
        assert not [element for element in frame.ids if element.startswith("alert-")]
        assert {"count-open", "share-rule"} <= set(frame.ids)
        assert not {"shares", "li", "section"} & {*frame.ids, *re.findall(r"<(\w+)", frame.html)}


async def test_a_number_is_sent_without_its_tile_or_cell(board, fleet):
    rule = await in_thread(fleet.metric_rule)
    terminals = await in_thread(lambda: fleet.terminals(3, presence="online"))
    await in_thread(lambda: [factories.alert(fleet, rule=rule, terminal=terminal) for terminal in terminals[:2]])
    async with board("/") as opened:
        await opened.painted()

        await in_thread(lambda: factories.alert(fleet, rule=rule, terminal=terminals[2]))

        frame = await opened.showing("number-warning")
        assert '<b id="number-warning">3</b>' in frame.html
        assert '<p class="note" id="note-warning">3 unacknowledged</p>' in frame.html
        assert '<b id="number-site-SJK">3</b>' in frame.html
        assert not {"total-warning", "site-SJK"} & set(frame.ids)


async def test_a_slow_reader_gets_the_newest_number_and_the_newest_element_around_it(board, fleet):
    rule = await in_thread(fleet.metric_rule)
    await in_thread(lambda: factories.alert(fleet, rule=rule))
    async with board("/") as slow, board("/") as quick:
        await slow.painted()
        await quick.painted()
        slow.connection.unwritten = LAGGING_BYTES + 1
        second = await in_thread(lambda: factories.alert(fleet, rule=rule))
        await quick.showing('<b id="number-warning">2</b>')
        await in_thread(lambda: [factories.resolved(alert) for alert in (second, *rule.alerts.unresolved())])
        await quick.showing('<b id="number-warning">0</b>')
        while not slow.connection.sent.empty():
            await slow.frame("beat", "patch")
        slow.connection.unwritten = 0

        frame = await slow.showing("number-warning")

        assert "data-zero" in frame.html
        assert set(re.findall('<b id="number-warning">([0-9]+)<', frame.html)) == {"0"}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (
            '<li id="a"><b id="n">1</b> and <i id="m">2</i></li>',
            '<li id="a"><b id="n">1</b> and <i id="m">3</i></li>',
            "m",
        ),
        ('<li id="a"><b id="n">1</b></li>', '<li id="a"><b id="n" data-zero>1</b></li>', "n"),
        ('<li id="a"><b id="n">1</b></li>', '<li id="a" data-zero><b id="n">0</b></li>', None),
        ('<li id="a"><b id="n">1</b></li>', '<li id="a"></li>', None),
        ('<li id="a"><b id="n">1</b></li>', '<li id="a"><b id="n">1<i></i></b></li>', None),
        ('<b id="n">1</b>', '<b id="n">2</b>', None),
        ('<p><a id="n" hx-get="/1">1</a></p>', '<p><a id="n" hx-get="/2">1</a></p>', None),
    ],
    ids=["one of two", "its attribute", "more than it", "gone", "no leaf any more", "the whole", "wired"],
)
def test_a_difference_is_a_leaf_or_the_whole(before, now, found):
    assert differing(before, now) == (None if found is None else [found])
