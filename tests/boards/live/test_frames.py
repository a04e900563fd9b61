"""Frames that are pushed to a board after a change."""

import asyncio
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.boards.live.changes import change
from tests.support import factories
from tests.support.builders import AT
from tests.support.factories import now
from tests.support.threads import in_thread
from tms.boards.live import tasks
from tms.commands import services as commands
from tms.commands.models import Command
from tms.feed.change import Change
from tms.feed.publisher import publish

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


async def test_the_first_frame_repaints_all_live_parts_of_the_page(board, fleet, tanaka):
    terminal = await in_thread(lambda: fleet.online(uid="T-1"))
    await in_thread(lambda: factories.alert(fleet, terminal=terminal))
    await in_thread(lambda: factories.report(terminal, 1, at=now(), metrics={"paper_pct": 1.0}))
    for page in ("/", "/terminals/", "/terminals/T-1/", "/alerts/"):
        browser = Client()
        await in_thread(browser.force_login, tanaka)
        html = (await in_thread(browser.get, page)).content.decode()

        async with board(page) as opened:
            frame = await opened.frame("repaint")

        assert frame.ids, page
        assert set(frame.ids) - set(re.findall(r'id="([\w-]+)"', html)) == set()


async def test_a_change_of_presence_updates_row_totals_and_site(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/") as overview, board("/terminals/") as terminals:
        await overview.painted()
        await terminals.painted()

        await in_thread(lambda: change(terminal, presence="offline", cause="connection_lost"))

        frame = await overview.showing("total-offline")
        assert {"total-online", "total-offline", "site-SJK", "sites-note"} <= set(frame.ids)
        assert "total-silent" not in frame.ids
        row = await terminals.showing(f"terminal-{terminal.pk}")
        assert 'data-presence="offline"' in row.html
        assert "connection lost" in row.html


async def test_a_report_updates_only_its_row(board, fleet):
    terminal, other = await in_thread(fleet.online), await in_thread(fleet.online)
    async with board("/terminals/") as opened:
        await opened.painted()

        await in_thread(lambda: change(terminal, metrics={"temperature_c": 61.0}))

        frame = await opened.frame()
        assert frame.ids == [f"terminal-{terminal.pk}"]
        assert "61 °C" in frame.html
        assert frame.list == ("", [])
        assert f"terminal-{other.pk}" not in frame.html


async def test_a_change_that_a_page_does_not_show_sends_no_frame(board, fleet):
    shown = await in_thread(lambda: fleet.online(kind="gate"))
    hidden = await in_thread(lambda: fleet.online(kind="kiosk"))
    async with board("/terminals/?kind=gate") as opened:
        await opened.painted()

        await in_thread(lambda: change(hidden, metrics={"paper_pct": 1.0}))
        await in_thread(lambda: change(shown, metrics={"paper_pct": 2.0}))

        assert (await opened.frame()).ids == [f"terminal-{shown.pk}"]


async def test_a_row_enters_and_leaves_a_filtered_list(board, fleet):
    first = await in_thread(lambda: fleet.with_presence("offline", uid="T-A"))
    second = await in_thread(lambda: fleet.online(uid="T-B"))
    async with board("/terminals/?presence=offline") as opened:
        painted = await opened.painted()

        await in_thread(lambda: change(second, presence="offline"))
        entered = await opened.until(lambda frame: frame.list[0] == "terminals")
        await in_thread(lambda: change(first, presence="online"))
        left = await opened.until(lambda frame: frame.list[0] == "terminals")

    assert painted.list == ("terminals", [f"terminal-{first.pk}"])
    assert entered.list == ("terminals", [f"terminal-{first.pk}", f"terminal-{second.pk}"])
    assert f'id="terminal-{second.pk}"' in entered.html
    assert left.list == ("terminals", [f"terminal-{second.pk}"])


async def test_a_new_terminal_appears_with_its_first_boot(board, fleet):
    await in_thread(lambda: fleet.online(uid="T-B"))
    async with board("/terminals/") as opened:
        await opened.painted()

        terminal = await in_thread(lambda: fleet.terminal(uid="T-A"))
        await in_thread(
            lambda: publish(Change(terminals=frozenset({terminal.pk}), sessions=frozenset({(terminal.pk, 1)})))
        )

        frame = await opened.until(lambda frame: frame.list[0] == "terminals")
        assert frame.list[1][0] == f"terminal-{terminal.pk}"


async def test_alerts_open_are_acknowledged_and_resolved_on_every_board(board, fleet, tanaka, sato):
    terminal = await in_thread(lambda: fleet.online(uid="T-1"))
    pages = ("/", "/alerts/", "/terminals/T-1/")
    async with board(pages[0]) as overview, board(pages[1]) as alerts, board(pages[2]) as page:
        for opened in (overview, alerts, page):
            await opened.painted()

        alert = await in_thread(lambda: factories.alert(fleet, terminal=terminal, rule=fleet.metric_rule(name="Hot")))
        for opened, listed in ((overview, "incidents"), (alerts, "alerts")):
            frame = await opened.until(lambda frame, of=listed: frame.list[0] == of)
            assert frame.list[1] == [f"alert-{alert.pk}"]
            assert "Hot" in frame.html
        await page.showing('id="open-alerts"', "Hot", "Unacknowledged")

        await in_thread(lambda: factories.acknowledged(alert, by=tanaka, comment="on my way"))
        for opened in (overview, alerts):
            await opened.showing(f'id="alert-{alert.pk}"', 'data-ack="acknowledged"', "M. Tanaka", "on my way")
        await page.showing('id="open-alerts"', "M. Tanaka")

        await in_thread(lambda: factories.resolved(alert))
        for opened, listed in ((overview, "incidents"), (alerts, "alerts")):
            frame = await opened.until(lambda frame, of=listed: frame.list[0] == of)
            assert frame.list[1] == []
        await page.showing('id="open-alerts"', "hidden")


async def test_the_page_of_an_alert_shows_who_acknowledged_it(board, fleet, sato):
    alert = await in_thread(lambda: factories.alert(fleet))
    async with board(f"/alerts/{alert.pk}/") as opened:
        await opened.painted()

        await in_thread(lambda: factories.acknowledged(alert, by=sato, comment="fan ordered", at=timezone.now()))

        frame = await opened.until(lambda frame: frame.list[0] == "timeline")
        assert frame.list[1] == ["transition-1", "transition-0"]
        assert "fan ordered" in frame.html


async def test_the_page_of_a_terminal_shows_readings_timeline_entries_and_answers(board, fleet, tanaka):
    terminal = await in_thread(lambda: fleet.online(uid="T-1"))
    async with board("/terminals/T-1/") as opened:
        await opened.painted()

        await in_thread(lambda: factories.report(terminal, 1, at=AT, metrics={"temperature_c": 44.5}))
        await in_thread(lambda: change(terminal, metrics={"temperature_c": 44.5}))
        latest = await opened.showing('id="reading-latest"')
        assert f'data-at="{AT.isoformat()}"' in latest.html
        assert "44.5" in latest.html

        command = await in_thread(lambda: commands.queue(terminal, name="ping", args={}, by=tanaka, at=now()))
        frame = await opened.until(lambda frame: frame.list[0] == "commands")
        assert frame.list[1] == [f"command-{command.pk}"]

        await in_thread(lambda: Command.objects.update(state="sent", sent_at=now(-1)))
        await in_thread(
            lambda: commands.record_answers([commands.Answered(command.pk, terminal.pk, "pong", "")], at=now())
        )
        await opened.showing(f'id="command-{command.pk}"', "Done", "pong")


async def test_each_board_gets_its_own_language(board, fleet):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/", language="ja") as japanese, board("/terminals/", language="tlh") as english:
        await japanese.painted()
        await english.painted()

        await in_thread(lambda: change(terminal, presence="offline"))

        assert "オフライン" in (await japanese.showing(f"terminal-{terminal.pk}")).html
        assert "Offline" in (await english.showing(f"terminal-{terminal.pk}")).html


async def test_boards_with_the_same_content_share_one_rendering_and_one_encoding(board, room, fleet, sato):
    terminal = await in_thread(fleet.online)
    async with board("/terminals/?q=&presence=online") as one, board("/terminals/?presence=online") as two:
        await one.painted()
        await two.painted()

        await in_thread(lambda: change(terminal, metrics={"paper_pct": 5.0}))
        first, second = await one.frame(), await two.frame()

        assert len(room.live_pages) == 1
        assert first.html == second.html

    assert room.live_pages == {}


async def test_a_person_is_on_shift_while_a_board_is_open(board, fleet, tanaka):
    async with board("/") as overview:
        await overview.showing('id="shift"', "viewing the overview")

        async with board("/alerts/"):
            pass

        await asyncio.sleep(0)
        frame = await overview.beat()
        assert frame.freshness["gaps"] == 0


async def test_a_person_without_a_board_is_no_longer_on_shift(board, sato):
    async with board("/") as overview:
        await overview.painted()
        async with board("/alerts/", person=sato):
            await overview.showing('id="shift"', "佐藤", "viewing alerts")

        left = await overview.showing('id="shift"')
        assert "佐藤" not in left.html


async def test_a_board_closed_while_the_shift_is_sent_is_sent_next(board, room, sato, monkeypatch):
    """A page that is outdated, or a change of other terminals, would send another frame."""
    monkeypatch.setattr(tasks, "SHIFT_REPORT_S", 600.0)
    report_shift, may_end, is_reporting = room.render_worker.report_shift, asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any, **options: Any) -> None:
        is_reporting.set()
        await may_end.wait()
        await report_shift(*args, **options)

    async with board("/") as overview:
        await overview.painted()
        async with board("/alerts/", person=sato) as theirs:
            await overview.showing('id="shift"', "佐藤", "viewing alerts")
            await theirs.painted()
            monkeypatch.setattr(room.render_worker, "report_shift", slowly)
            is_reporting.clear()
            async with board("/alerts/"):
                await asyncio.wait_for(is_reporting.wait(), 20)
        may_end.set()

        left = await asyncio.wait_for(
            overview.until(lambda frame: 'id="shift"' in frame.html and "佐藤" not in frame.html), 10
        )

        assert left.ids == ["shift"]
