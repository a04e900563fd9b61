"""One subscription per process, and the distribution inside it."""

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
        self.received: list[Change] = []
        self._is_new = asyncio.Event()

    def changed(self, change: Change) -> None:
        self.received.append(change)
        self._is_new.set()

    async def hears(self, change: Change) -> None:
        """Wait until `change` was received."""
        await self.hears_one(lambda received: received == change)

    async def hears_one(self, fits: Callable[[Change], object]) -> None:
        """Wait until a matching change was received."""
        async with asyncio.timeout(DEADLINE_S):
            while not any(map(fits, self.received)):
                self._is_new.clear()
                await self._is_new.wait()

    def reset(self) -> None:
        self.received.clear()


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
    board.reset()
    yield hub
    await hub.stop()
    await feed().detach()
    await get_channel_layer().flush()


async def test_a_new_subscriber_reads_everything_first(hub, board):
    assert hub.is_started
    assert hub.subscribed
    assert hub.is_live


async def test_every_listener_receives_every_change(hub, board):
    other = Board()
    hub.listeners.add(other)

    await Publisher().publish(1, ONE)
    await board.hears(ONE)

    assert other.received == [ONE]


async def test_a_process_receives_its_own_changes(hub, board):
    feed().publish_committed(TWO)

    await board.hears(TWO)

    assert hub.gaps == 0


async def test_a_failing_listener_does_not_affect_the_others(hub, board):
    class Broken:
        def changed(self, change: Change) -> None:
            raise ZeroDivisionError

    hub.listeners = {Broken(), board, Broken()}

    await Publisher().publish(1, ONE)
    await Publisher().publish(2, TWO)

    await board.hears(TWO)
    assert board.received == [ONE, TWO]


async def test_a_gap_in_the_numbers_of_a_publisher_is_everything(hub, board):
    other = Publisher()
    await other.publish(1, ONE)

    await other.publish(3, TWO)

    await board.hears(TWO | EVERYTHING)
    assert hub.gaps == 1


async def test_a_heartbeat_contains_no_change_but_reveals_missed_ones(hub, board):
    other = Publisher()
    for number in (1, 2, 3):
        await other.publish(number)
    await other.publish(5)

    await board.hears(EVERYTHING)

    assert (board.received, hub.gaps) == ([EVERYTHING], 1)


async def test_a_publisher_that_was_already_running_causes_no_gap(hub, board):
    await Publisher("old").publish(4711, ONE)

    await board.hears(ONE)

    assert hub.gaps == 0


async def test_publishers_are_counted_separately(hub, board):
    one, two = Publisher("one"), Publisher("two")
    for number in range(1, 4):
        await one.publish(number)
        await two.publish(number + 100)
    await two.publish(104, TWO)

    await board.hears(TWO)

    assert hub.gaps == 0


async def test_a_publisher_that_restarted_under_its_old_name_is_a_gap(hub, board):
    other = Publisher()
    await other.publish(9)

    await other.publish(1, ONE)

    await board.hears(ONE | EVERYTHING)


async def test_an_invalid_message_causes_a_new_subscription_and_a_read(hub, board):
    """A message of a node of another version."""
    await send(b"\xc1 what is this")

    await board.hears(EVERYTHING)
    await Publisher().publish(1, ONE)

    await board.hears(ONE)
    assert hub.is_live


async def test_an_old_publisher_is_removed(hub, board, monkeypatch):
    monkeypatch.setattr(module, "PUBLISHER_TIMEOUT_S", 0)
    await Publisher("gone").publish(1)
    await Publisher("new").publish(1)

    await Publisher("gone").publish(9, ONE)

    await board.hears(ONE)
    assert hub.gaps == 0


async def test_silence_causes_a_new_subscription_and_leaves_no_channel_behind(board, monkeypatch):
    monkeypatch.setattr(module, "LOST_AFTER_S", 0.02)
    layer = InMemoryChannelLayer()
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    hub = Hub()
    hub.listeners.add(board)

    hub.start()
    async with asyncio.timeout(DEADLINE_S):
        while board.received.count(EVERYTHING) < 3:
            await asyncio.sleep(0)
    members = len(layer.groups[GROUP])
    await hub.stop()
    await feed().detach()

    assert members <= 1
    assert not layer.groups.get(GROUP)


async def test_a_connection_without_messages_is_closed(board, monkeypatch):
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


async def test_it_reports_for_how_long_it_received_nothing(hub, monkeypatch):
    monkeypatch.setattr(module, "LOST_AFTER_S", 0)

    assert not hub.is_live
    assert hub.behind_s >= 0


async def test_starting_twice_has_no_effect_and_stopping_ends_it(hub, board):
    hub.start()
    await Publisher().publish(1, ONE)
    await board.hears(ONE)

    await hub.stop()
    await Publisher().publish(2, TWO)

    assert board.received == [ONE]
    assert not hub.is_started
    assert not hub.is_live


@pytest.mark.services
async def test_after_a_restart_of_redis_boards_read_again_and_receive_later_changes(board, settings, monkeypatch):
    with Redis() as redis:
        host = {"address": redis.url, "socket_timeout": 15}
        layer = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [host]}}
        settings.CHANNEL_LAYERS = {"default": layer}
        monkeypatch.setattr(module, "LOST_AFTER_S", 3.0)
        hub = Hub()
        hub.listeners.add(board)
        hub.start()
        await board.hears(EVERYTHING)
        feed().publish_committed(ONE)
        await board.hears(ONE)
        board.reset()

        await asyncio.to_thread(redis.kill)
        feed().publish_committed(TWO)
        await asyncio.to_thread(redis.start)

        await board.hears_one(lambda change: change.everything)
        feed().publish_committed(Change(terminals=frozenset({3})))
        await board.hears_one(lambda change: 3 in change.terminals)
        await hub.stop()
        await feed().detach()
        await get_channel_layer().flush()
