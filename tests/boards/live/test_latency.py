"""How the time is measured in which an alert reaches open boards."""

import pytest
from django.db import transaction

from tests.support import factories
from tests.support.factories import now
from tests.support.polling import wait_for_value_async
from tests.support.slo_counters import counted
from tests.support.threads import in_thread
from tms.boards.live import live_page
from tms.boards.live.latency import BoardLatency
from tms.boards.pages.base import PagePart, PageState
from tms.boards.rows.alerts import alert_rows
from tms.feed.change import MAX_IDS, Change
from tms.feed.publisher import publish

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


class Counted:
    def __init__(self):
        self.before = counted()

    def since(self, stage):
        return sum((counted() - self.before)[stage, outcome] for outcome in ("kept", "missed"))

    async def until(self, **wanted):
        """Wait until there are so many samples, by indicator."""
        await wait_for_value_async(lambda: {stage: self.since(stage) for stage in wanted}, wanted)


@pytest.fixture
def counter():
    return Counted()


async def test_an_alert_that_opens_and_is_acknowledged_is_counted_once_each(board, fleet, counter, sato):
    async with board("/alerts/") as first, board("/") as second:
        await first.painted()
        await second.painted()

        alert = await in_thread(factories.alert, fleet)
        await first.frame()
        await counter.until(board=1, acknowledgement=0)
        await in_thread(lambda: factories.acknowledged(alert, by=sato))
        await first.frame()

        await counter.until(board=1, acknowledgement=1)


async def test_alerts_that_were_open_before_a_board_was_opened_are_not_counted(board, fleet, counter):
    old = await in_thread(lambda: factories.alert(fleet, opened_at=now(-3_600)))
    async with board("/alerts/") as opened:
        await opened.painted()
        await in_thread(lambda: publish(Change(alerts=frozenset({old.pk}))))
        await in_thread(lambda: publish(Change(everything=True)))
        fresh = await in_thread(factories.alert, fleet)
        await opened.until(lambda frame: f"alert-{fresh.pk}" in frame.ids)

        await counter.until(board=1)


async def test_a_late_commit_is_counted_although_the_feed_names_no_row(board, fleet, counter):
    @transaction.atomic
    def open_late():
        alert = factories.alert(fleet, opened_at=now(-5))
        publish(Change(terminals=frozenset(range(MAX_IDS + 1))))
        return alert

    async with board("/alerts/") as opened:
        await opened.painted()
        late = await in_thread(open_late)
        await opened.until(lambda frame: f"alert-{late.pk}" in frame.ids)

        await counter.until(board=1)


async def test_alerts_whose_rows_wait_for_the_next_pass_are_counted(board, fleet, counter, monkeypatch):
    @transaction.atomic
    def open_three():
        for _ in range(3):
            factories.alert(fleet)

    monkeypatch.setattr(live_page, "MAX_RENDERING_S", 0.0)
    async with board("/alerts/") as opened:
        await opened.painted()

        await in_thread(open_three)

        await counter.until(board=3)


def test_an_alert_that_is_read_before_its_change_arrives_is_counted(fleet, counter):
    latency = BoardLatency()
    latency.note_sent(at=now(-1))
    pk = factories.alert(fleet).pk
    row = alert_rows([pk])[pk]

    shown = PageState({row.element: PagePart("", {"alert": row})})
    for changed in (0, pk):
        latency.observe(shown, Change(alerts=frozenset({changed})), is_first=False, at=now())

    assert counter.since("board") == 1


async def test_an_alert_that_opened_without_an_open_board_is_not_counted(board, fleet, counter):
    await in_thread(factories.alert, fleet)
    async with board("/alerts/") as opened:
        await opened.painted()
        seen = await in_thread(factories.alert, fleet)
        await opened.until(lambda frame: f"alert-{seen.pk}" in frame.ids)

        await counter.until(board=1)
