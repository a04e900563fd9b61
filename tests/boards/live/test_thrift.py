"""What a board is not sent, because it has it: counted in elements and words, never in seconds."""

import pytest

from tests import factories
from tests.at_once import aside
from tests.boards.live.test_frames import change
from tests.factories import now
from tms.boards.pages import OverviewPage

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


async def test_while_nothing_changes_a_beat_is_all_that_is_sent(board, fleet, monkeypatch):
    terminal = await aside(lambda: fleet.standing("offline"))
    await aside(lambda: factories.alert(fleet, terminal=terminal, opened_at=now(-7200)))
    monkeypatch.setattr(OverviewPage, "lasts_s", 0.0)
    async with board("/") as overview, board("/alerts/") as alerts:
        for opened in (overview, alerts):
            await opened.painted()
            while (await opened.frame("patch", "beat")).kind != "beat":
                pass

            kinds = [(await opened.frame("patch", "repaint", "beat")).kind for _ in range(8)]

            assert kinds == ["beat"] * 8


async def test_a_row_that_shows_nothing_new_is_not_sent_again(board, fleet):
    """Of an alert about a reading no row tells the presence of its terminal."""
    terminal = await aside(fleet.online)
    alert = await aside(lambda: factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule(), value=81.0))
    async with board("/") as opened:
        await opened.painted()

        await aside(lambda: change(terminal, presence="silent"))

        frame = await opened.showing("total-silent")
        assert f"alert-{alert.pk}" not in frame.ids


async def test_the_verdict_on_the_database_is_told_to_each_once(board, fleet):
    terminal = await aside(fleet.online)
    async with board("/terminals/") as opened:
        while opened.proof["database"]["state"] != "equal":
            await opened.frame("repaint", "patch", "beat")
        verdicts = {str(opened.proof["database"])}
        for value in range(10):
            await aside(lambda value=value: change(terminal, metrics={"cpu_pct": value}))
            frame = await opened.frame()
            assert ("database" in frame.told["proof"]) is (str(opened.proof["database"]) not in verdicts)
            verdicts.add(str(opened.proof["database"]))


async def test_a_frame_holds_no_words_that_age(board, fleet):
    terminal = await aside(lambda: fleet.standing("silent"))
    await aside(lambda: factories.alert(fleet, terminal=terminal))
    for page in ("/", "/alerts/"):
        async with board(page) as opened:
            html = (await opened.frame("repaint")).html

        assert "<time " in html
        assert html.count("<time ") == html.count("></time>"), page
