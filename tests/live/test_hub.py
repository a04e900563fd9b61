"""One subscription per process, and the fan-out inside it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from tests.live.other import DEADLINE_S, Publisher, send
from tests.support.services import Redis
from tms.feed import hub as module
from tms.feed.change import Change
from tms.feed.hub import Hub
from tms.feed.publisher import GROUP, feed

pytestmark = [pytest.mark.both, pytest.mark.embedded]

ONE, TWO = (Change(terminals=frozenset({n})) for n in (1, 2))
EVERYTHING = Change(everything=True)


class Board:
    """A listener inside the process."""

    def __init__(self) -> None:
        self.heard: list[Change] = []
        self._news = asyncio.Event()

    def changed(self, change: Change) -> None:
        self.heard.append(change)
        self._news.set()

    async def hears(self, change: Change) -> None:
        """Wait until `change` was heard."""
        await self.hears_one(lambda heard: heard == change)

    async def hears_one(self, fits: Callable[[Change], object]) -> None:
        """Wait until a change was heard that fits."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(map(fits, self.heard)):
                self._news.clear()
                await self._news.wait()

    def forget(self) -> None:
        self.heard.clear()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest_asyncio.fixture
async def hub(board: Board) -> AsyncIterator[Hub]:
    hub = Hub()
    hub.listeners.add(board)
    hub.start()
    await board.hears(EVERYTHING)
    board.forget()
    yield hub
    await hub.stop()
    await feed().detach()
    await get_channel_layer().flush()


async def test_who_subscribes_reads_everything_first(hub, board):
    assert hub.is_started
    assert hub.subscribed
    assert hub.is_live


async def test_every_listener_hears_every_change(hub, board):
    other = Board()
    hub.listeners.add(other)

    await Publisher().say(1, ONE)
    await board.hears(ONE)

    assert other.heard == [ONE]


async def test_what_this_process_publishes_comes_back_to_it(hub, board):
    feed().committed(TWO)

    await board.hears(TWO)

    assert hub.gaps == 0


async def test_a_listener_that_fails_takes_nothing_from_the_others(hub, board):
    class Broken:
        def changed(self, change: Change) -> None:
            raise ZeroDivisionError

    hub.listeners = {Broken(), board, Broken()}

    await Publisher().say(1, ONE)
    await Publisher().say(2, TWO)

    await board.hears(TWO)
    assert board.heard == [ONE, TWO]


async def test_a_gap_in_a_publishers_numbers_is_everything(hub, board):
    other = Publisher()
    await other.say(1, ONE)

    await other.say(3, TWO)

    await board.hears(TWO | EVERYTHING)
    assert hub.gaps == 1


async def test_a_heartbeat_tells_nothing_but_shows_what_was_missed(hub, board):
    other = Publisher()
    for number in (1, 2, 3):
        await other.say(number)
    await other.say(5)

    await board.hears(EVERYTHING)

    assert (board.heard, hub.gaps) == ([EVERYTHING], 1)


async def test_a_publisher_that_was_running_before_is_no_gap(hub, board):
    await Publisher("old").say(4711, ONE)

    await board.hears(ONE)

    assert hub.gaps == 0


async def test_publishers_are_counted_apart(hub, board):
    one, two = Publisher("one"), Publisher("two")
    for number in range(1, 4):
        await one.say(number)
        await two.say(number + 100)
    await two.say(104, TWO)

    await board.hears(TWO)

    assert hub.gaps == 0


async def test_a_publisher_that_began_anew_under_its_old_name_is_a_gap(hub, board):
    other = Publisher()
    await other.say(9)

    await other.say(1, ONE)

    await board.hears(ONE | EVERYTHING)


async def test_what_cannot_be_read_makes_it_subscribe_and_read_again(hub, board):
    """A node of another version speaks."""
    await send(b"\xc1 what is this")

    await board.hears(EVERYTHING)
    await Publisher().say(1, ONE)

    await board.hears(ONE)
    assert hub.is_live


async def test_a_publisher_that_is_long_gone_is_forgotten(hub, board, monkeypatch):
    monkeypatch.setattr(module, "FORGET_AFTER_S", 0)
    await Publisher("gone").say(1)
    await Publisher("new").say(1)

    await Publisher("gone").say(9, ONE)

    await board.hears(ONE)
    assert hub.gaps == 0


async def test_silence_makes_it_subscribe_again_and_leaves_no_channel_behind(board, monkeypatch):
    monkeypatch.setattr(module, "LOST_AFTER_S", 0.02)
    layer = InMemoryChannelLayer()
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    hub = Hub()
    hub.listeners.add(board)

    hub.start()
    async with asyncio.timeout(DEADLINE_S):
        while board.heard.count(EVERYTHING) < 3:
            await asyncio.sleep(0)
    members = len(layer.groups[GROUP])
    await hub.stop()
    await feed().detach()

    assert members <= 1
    assert not layer.groups.get(GROUP)


async def test_a_connection_over_which_nothing_comes_is_closed(board, monkeypatch):
    monkeypatch.setattr(module, "LOST_AFTER_S", 0.02)
    layer, closed = InMemoryChannelLayer(), asyncio.Event()

    async def flush() -> None:
        closed.set()

    monkeypatch.setattr(layer, "flush", flush)
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    hub = Hub()

    hub.start()
    async with asyncio.timeout(DEADLINE_S):
        await closed.wait()
    await hub.stop()
    await feed().detach()

    assert not hub.subscribed


async def test_it_says_how_long_it_heard_nothing(hub, monkeypatch):
    monkeypatch.setattr(module, "LOST_AFTER_S", 0)

    assert not hub.is_live
    assert hub.behind_s >= 0


async def test_starting_again_changes_nothing_and_stopping_ends_it(hub, board):
    hub.start()
    await Publisher().say(1, ONE)
    await board.hears(ONE)

    await hub.stop()
    await Publisher().say(2, TWO)

    assert board.heard == [ONE]
    assert not hub.is_started
    assert not hub.is_live


@pytest.mark.services
async def test_after_a_restart_of_redis_boards_read_again_and_hear_what_comes_next(board, settings, monkeypatch):
    with Redis() as redis:
        host = {"address": redis.url, "socket_timeout": 15}
        layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [host]}}
        settings.CHANNEL_LAYERS = {"default": layer}
        monkeypatch.setattr(module, "LOST_AFTER_S", 3.0)
        hub = Hub()
        hub.listeners.add(board)
        hub.start()
        await board.hears(EVERYTHING)
        feed().committed(ONE)
        await board.hears(ONE)
        board.forget()

        await asyncio.to_thread(redis.kill)
        feed().committed(TWO)
        await asyncio.to_thread(redis.start)

        await board.hears_one(lambda change: change.everything)
        feed().committed(Change(terminals=frozenset({3})))
        await board.hears_one(lambda change: 3 in change.terminals)
        await hub.stop()
        await feed().detach()
        await get_channel_layer().flush()
