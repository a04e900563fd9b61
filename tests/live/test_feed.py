"""What this process publishes: after the commit, in order, and buffered while the feed is unavailable."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from django.db import transaction

from tests.live.other import DEADLINE_S, Listener
from tests.support.feed_recorder import FeedRecorder
from tests.support.threads import in_thread, run_concurrently
from tms.feed import publisher as module
from tms.feed.change import MAX_IDS, NOTHING, Change
from tms.feed.publisher import Feed

pytestmark = pytest.mark.both

ONE, TWO, THREE = (Change(terminals=frozenset({n})) for n in (1, 2, 3))


class Barred(InMemoryChannelLayer):
    """A transport that is blocked until it is opened, and counts attempts."""

    def __init__(self) -> None:
        super().__init__(capacity=10_000)
        self.is_barred = True
        self.tries = 0

    async def group_send(self, group, message) -> None:
        self.tries += 1
        if self.is_barred:
            raise ConnectionError("no way")
        await super().group_send(group, message)

    async def attempted(self, times: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.tries < times:
                await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)


@pytest.fixture
def barred(monkeypatch) -> Barred:
    layer = Barred()
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer


@asynccontextmanager
async def attached() -> AsyncIterator[Feed]:
    feed = Feed()
    feed.attach()
    try:
        yield feed
    finally:
        await feed.detach()


def publish(feed: Feed, *changes: Change) -> None:
    with transaction.atomic():
        for change in changes:
            feed.publish(change)


# After the commit


@pytest.mark.django_db(transaction=True)
def test_a_change_is_published_after_the_commit_and_never_after_a_rollback(feed_recorder: FeedRecorder):
    feed = Feed()

    with transaction.atomic():
        feed.publish(ONE)
        transaction.set_rollback(True)
    rolled_back = feed_recorder.changes()
    with transaction.atomic():
        feed.publish(TWO)
        before = feed_recorder.changes()

    assert (rolled_back, before, feed_recorder.changes()) == ([], [], [TWO])


@pytest.mark.django_db(transaction=True)
def test_a_process_without_a_loop_publishes_each_change_separately(feed_recorder: FeedRecorder):
    publish(Feed(), ONE, TWO)

    assert feed_recorder.changes() == [ONE, TWO]


@pytest.mark.django_db(transaction=True)
def test_an_unavailable_feed_does_not_fail_a_committed_transaction(barred):
    publish(Feed(), ONE, TWO)

    assert barred.tries == 2


# From the event loop


async def test_changes_of_one_turn_of_the_loop_are_one_message(listener):
    async with attached() as feed:
        feed.publish_committed(ONE)
        feed.publish_committed(TWO)
        message = await listener.receive_change()

    assert (message.publisher, message.number, message.change) == (feed.publisher, 1, ONE | TWO)


@pytest.mark.django_db(transaction=True)
async def test_messages_are_numbered_and_in_order(listener):
    async with attached() as feed:
        numbers, result = [], []
        for change in (ONE, TWO, THREE):
            await in_thread(publish, feed, change)
            message = await listener.receive_change()
            numbers.append(message.number)
            result.append(message.change)

    assert result == [ONE, TWO, THREE]
    assert numbers == [1, 2, 3]


async def test_an_idle_publisher_sends_its_number(listener, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.01)

    async with attached():
        received = [await listener.receive() for _ in range(3)]

    assert [message.number for message in received] == [1, 2, 3]
    assert {message.change for message in received} == {NOTHING}


async def test_unpublished_changes_are_merged_and_published_once_the_feed_is_available(barred):
    listener = await Listener.subscribe()
    async with attached() as feed:
        feed.publish_committed(ONE)
        await barred.attempted(1)
        feed.publish_committed(TWO)
        await barred.attempted(3)
        feed.publish_committed(THREE)

        barred.is_barred = False
        message = await listener.receive_change()

    assert message.change == ONE | TWO | THREE
    assert message.number > 1  # the failure left a gap: listeners read again


async def test_a_hanging_transport_is_abandoned_and_used_again_later(barred, monkeypatch):
    monkeypatch.setattr(module, "SEND_TIMEOUT_S", 0.01)
    listener, tries = await Listener.subscribe(), []
    barred.is_barred, send = False, barred.group_send

    async def swallow_the_first(group, message) -> None:
        tries.append(message)
        if len(tries) == 1:
            await asyncio.Event().wait()
        await send(group, message)

    monkeypatch.setattr(barred, "group_send", swallow_the_first)
    async with attached() as feed:
        feed.publish_committed(ONE)

        assert (await listener.receive_change()).change == ONE


async def test_buffered_changes_are_bounded(barred):
    listener = await Listener.subscribe()
    async with attached() as feed:
        for first in range(0, 20 * MAX_IDS, MAX_IDS):
            feed.publish_committed(Change(terminals=frozenset(range(first, first + MAX_IDS))))
        for number in range(50):
            feed.publish_committed(Change(sessions=frozenset((terminal, number) for terminal in range(10))))

        barred.is_barred = False
        message = await listener.receive_change()

    assert message.change == Change(everything=True, sessions=frozenset((terminal, 49) for terminal in range(10)))


async def test_a_change_of_too_many_rows_is_published_as_everything(listener):
    async with attached() as feed:
        feed.publish_committed(Change(terminals=frozenset(range(3 * MAX_IDS))))

        assert (await listener.receive_change()).change == Change(everything=True)


async def test_many_threads_may_publish_concurrently_and_nothing_is_lost(listener):
    async with attached() as feed:
        result = asyncio.ensure_future(
            asyncio.to_thread(run_concurrently, 16, lambda n: feed.publish_committed(one_of(n)))
        )
        received = NOTHING
        while len(received.terminals) < 16:
            received |= (await listener.receive_change()).change
        await result

    assert received.terminals == set(range(16))


def one_of(n: int) -> Change:
    return Change(terminals=frozenset({n}))


# Stopping


async def test_stopping_publishes_pending_changes(listener):
    feed = Feed()
    feed.attach()
    feed.publish_committed(ONE)

    await feed.detach()

    assert (await listener.receive_change()).change == ONE


async def test_stopping_during_a_message_still_publishes_the_rest(barred, monkeypatch):
    listener = await Listener.subscribe()
    barred.is_barred = False
    on_its_way = asyncio.Event()

    async def slowly(group, message) -> None:
        on_its_way.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(barred, "group_send", slowly)
    feed = Feed()
    feed.attach()
    feed.publish_committed(ONE)
    await on_its_way.wait()
    monkeypatch.undo()
    channel_layers.backends["default"] = barred

    await feed.detach()

    assert (await listener.receive_change()).change == ONE


async def test_stopping_without_a_feed_gives_up_without_an_error(barred):
    feed = Feed()
    feed.attach()
    feed.publish_committed(ONE)
    await barred.attempted(1)

    await feed.detach()

    assert barred.tries >= 2


async def test_attaching_twice_publishes_once(listener, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.01)

    async with attached() as feed:
        feed.attach()
        received = [await listener.receive() for _ in range(3)]

    assert [message.number for message in received] == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_feed_whose_loop_has_ended_publishes_directly(feed_recorder: FeedRecorder):
    feed = Feed()
    thread = threading.Thread(target=lambda: asyncio.run(attach_only(feed)))
    thread.start()
    thread.join()

    publish(feed, ONE)

    assert feed_recorder.changes() == [ONE]


async def attach_only(feed: Feed) -> None:
    feed.attach()


def test_a_synchronous_caller_publishes_to_the_feed_of_this_pass():
    """A management command beside running nodes."""

    async def received() -> Change:
        listener = await Listener.subscribe()
        await asyncio.to_thread(Feed().publish_committed, ONE)
        message = await listener.receive_change()
        await listener.leave()
        await get_channel_layer().flush()
        return message.change

    assert async_to_sync(received)() == ONE
