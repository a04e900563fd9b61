"""Viewers of alerts: published by each process for its own boards, expired when a process is silent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from channels.layers import get_channel_layer

from tests.live.other import DEADLINE_S, Publisher
from tms.feed import publisher as feed_module
from tms.feed.change import Change
from tms.feed.hub import Hub
from tms.feed.publisher import Feed
from tms.feed.viewers import NO_VIEWINGS, VIEWINGS_TIMEOUT_S, Viewers, Viewing, strongest

pytestmark = pytest.mark.both

SATO, MORI = 1, 2


def viewings(*found: Viewing) -> frozenset[Viewing]:
    return frozenset(found)


def test_two_tabs_of_one_person_count_once_and_typing_in_either_counts():
    assert strongest([Viewing(SATO, 7), Viewing(SATO, 7, True), Viewing(SATO, 8), Viewing(MORI, 7)]) == viewings(
        Viewing(SATO, 7, True), Viewing(SATO, 8), Viewing(MORI, 7)
    )


def test_changes_of_several_processes_are_published_together():
    viewers = Viewers()

    first = viewers.update("a", viewings(Viewing(SATO, 7), Viewing(SATO, 8)), now=0)
    again = viewers.update("a", viewings(Viewing(SATO, 7), Viewing(SATO, 8)), now=1)
    other = viewers.update("b", viewings(Viewing(SATO, 7), Viewing(MORI, 7, True)), now=2)

    assert (first, again, other) == ({"alert-7", "alert-8"}, frozenset(), {"alert-7"})
    assert viewers.of("alert-7") == viewings(Viewing(SATO, 7), Viewing(MORI, 7, True))


def test_an_alert_and_an_incident_with_one_number_are_different():
    viewers = Viewers()

    text = viewers.update("a", strongest([Viewing(SATO, 7), Viewing(SATO, incident=7)]), now=0)

    assert text == {"alert-7", "incident-7"}
    assert viewers.of("incident-7") == viewings(Viewing(SATO, incident=7))


def test_a_viewer_who_leaves_is_removed_at_once():
    viewers = Viewers()
    viewers.update("a", viewings(Viewing(SATO, 7)), now=0)

    assert viewers.update("a", viewings(Viewing(SATO, 9)), now=1) == {"alert-7", "alert-9"}
    assert viewers.update("a", NO_VIEWINGS, now=2) == {"alert-9"}
    assert viewers.of("alert-7") == viewers.of("alert-9") == NO_VIEWINGS


def test_the_viewers_of_a_silent_process_are_removed():
    viewers = Viewers()
    viewers.update("dead", viewings(Viewing(SATO, 7)), now=0)
    viewers.update("alive", viewings(Viewing(MORI, 7)), now=VIEWINGS_TIMEOUT_S)

    assert viewers.expire(now=VIEWINGS_TIMEOUT_S) == frozenset()
    assert viewers.expire(now=VIEWINGS_TIMEOUT_S + 0.1) == {"alert-7"}
    assert viewers.of("alert-7") == viewings(Viewing(MORI, 7))


# Over the feed


class Board:
    def __init__(self) -> None:
        self._received: asyncio.Queue[Change] = asyncio.Queue()

    def changed(self, change: Change) -> None:
        if change.viewings:
            self._received.put_nowait(change)

    async def hears(self) -> frozenset[str]:
        async with asyncio.timeout(DEADLINE_S):
            return (await self._received.get()).viewings


@pytest.fixture
def board() -> Board:
    return Board()


@pytest_asyncio.fixture
async def hub(board: Board) -> AsyncIterator[Hub]:
    hub = Hub()
    hub.listeners.add(board)
    hub.start()
    async with asyncio.timeout(DEADLINE_S):
        while not hub.subscribed:
            await asyncio.sleep(0)
    yield hub
    await hub.stop()
    await feed_module.feed().detach()
    await get_channel_layer().flush()


@pytest_asyncio.fixture
async def other() -> AsyncIterator[Feed]:
    """The publisher of another process."""
    feed = Feed()
    feed.attach()
    yield feed
    await feed.detach()


async def test_every_process_receives_viewing_typing_and_leaving(hub, board, other):
    other.announce_viewings(viewings(Viewing(SATO, 7)))
    came = await board.hears(), hub.viewers.of("alert-7")
    other.announce_viewings(viewings(Viewing(SATO, 7, True)))
    typed = await board.hears(), hub.viewers.of("alert-7")
    other.announce_viewings(NO_VIEWINGS)
    went = await board.hears(), hub.viewers.of("alert-7")

    assert came == ({"alert-7"}, viewings(Viewing(SATO, 7)))
    assert typed == ({"alert-7"}, viewings(Viewing(SATO, 7, True)))
    assert went == ({"alert-7"}, NO_VIEWINGS)


async def test_a_stopping_process_removes_its_viewers(hub, board, other):
    other.announce_viewings(viewings(Viewing(SATO, 7)))
    await board.hears()

    other.announce_viewings(NO_VIEWINGS)
    await other.detach()

    assert await board.hears() == {"alert-7"}


async def test_current_viewers_are_published_repeatedly(listener, other, monkeypatch):
    monkeypatch.setattr(feed_module, "REPEAT_S", 0)
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.01)
    at = viewings(Viewing(SATO, 7))
    other.announce_viewings(at)

    received = [await listener.receive() for _ in range(4)]

    assert [message.viewings for message in received].count(at) >= 3


async def test_changes_of_viewers_during_an_outage_of_the_feed_are_published_later(hub, board, other, monkeypatch):
    async def lost(*args: object) -> None:
        raise ConnectionError("no way")

    monkeypatch.setattr(feed_module, "RETRY_S", 0.01)
    layer = get_channel_layer()
    with monkeypatch.context() as barred:
        barred.setattr(layer, "group_send", lost)
        other.announce_viewings(viewings(Viewing(SATO, 7)))
        await asyncio.sleep(0)

    assert await board.hears() == {"alert-7"}


async def test_a_message_of_an_older_node_contains_no_viewers(hub, board, other):
    other.announce_viewings(viewings(Viewing(SATO, 7)))
    await board.hears()

    await Publisher().publish(1)
    await Publisher().publish(2, Change(viewings=frozenset({"alert-99"})))

    assert await board.hears() == {"alert-99"}
    assert hub.viewers.of("alert-7") == viewings(Viewing(SATO, 7))
