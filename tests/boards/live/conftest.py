import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from django.test import Client

from tests.boards.live.board import Board
from tests.support.threads import in_thread
from tms.accounts.models import User
from tms.boards.caches.sound_alarms import alarm_cache
from tms.boards.live import board_hub as module
from tms.boards.live import live_page, tasks
from tms.boards.live.board_hub import BoardHub, board_hub
from tms.boards.overview import on_shift
from tms.runtime import process_state

type Open = Callable[..., Board]


@pytest.fixture
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch, feed_recorder: Any) -> None:
    """Short intervals; the feed is in memory."""
    settings.FRAME_INTERVAL_S = 0.02
    settings.PROOF_INTERVAL_S = 0.2
    monkeypatch.setattr(tasks, "BEAT_S", 0.1)
    monkeypatch.setattr(tasks, "TICK_S", 0.05)
    monkeypatch.setattr(tasks, "PAUSE_S", 0.1)
    monkeypatch.setattr(module, "PASS_S", 0.05)
    monkeypatch.setattr(module, "LATE_S", 0.1)
    monkeypatch.setattr(live_page, "MAX_RENDERING_S", math.inf)


@pytest_asyncio.fixture
async def room(quick: None, fleet: Any) -> AsyncIterator[BoardHub]:
    """The hub of this process's boards."""
    board_hub.reset()
    alarm_cache.reset()
    on_shift._overlap.cache_clear()
    yield board_hub()
    await process_state.stop_boards()
    await process_state.stop_feed()


@pytest_asyncio.fixture
async def board(room: BoardHub, tanaka: User, sato: User) -> Open:
    """Opens a page in Tanaka's browser, or in that of the given person."""
    sessions: dict[int, str] = {}

    def open_board(page: str, *, person: User = tanaka, **options: Any) -> Board:
        return Board(page, person=person, session=sessions[person.pk], **options)

    for person in await in_thread(lambda: list(User.objects.all())):
        sessions[person.pk] = await in_thread(session_of, person)
    return open_board


def session_of(person: User) -> str:
    client = Client()
    client.force_login(person)
    key = client.session.session_key
    assert key is not None
    return key
