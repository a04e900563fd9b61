"""The socket of a wall screen: its wall in its scope, until it is revoked; before the pairing, nothing."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings

from consumers.wall import WallConsumer
from tests.boards.live.board import DEADLINE_S, Board
from tests.boards.live.changes import change
from tests.support import people
from tests.support.accounts import screens
from tests.support.slo_counters import counted
from tests.support.threads import in_thread
from tms.accounts.screens import services
from tms.boards.live import tasks
from tms.boards.wall.waiting import waiting_screens

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


class Wall(Board):
    """The socket of a television with this secret in its cookie."""

    def __init__(self, secret: str) -> None:
        super().__init__("/wall/", person=Any, session="")  # type: ignore[arg-type]
        self._scope["cookies"] = {settings.WALL_COOKIE_NAME: secret}

    async def __aenter__(self) -> "Wall":
        self._sent_by_client.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(WallConsumer()(self._scope, self._sent_by_client.get, self.take))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sent_by_client.put_nowait({"type": "websocket.disconnect", "code": 1005})
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, DEADLINE_S)


class World:
    def __init__(self, fleet: Any) -> None:
        self.lead = people.person("lead", of="Manager")
        east, west = fleet.site("EAST", region="Kanto"), fleet.site("WEST")
        self.here = fleet.online(site=east, uid="EAST-1")
        self.there = fleet.online(site=west, uid="WEST-1")
        self.fleet = fleet
        self.screen, self.secret = screens.paired("NOC Tokyo", by=self.lead, region="Kanto")
        self.other, self.other_secret = screens.paired("NOC Osaka", by=self.lead)


@pytest.fixture
def world(fleet: Any) -> World:
    return World(fleet)


@pytest.fixture(autouse=True)
def no_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """What closes a board is the feed."""
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 3600)
    waiting_screens.reset()


async def test_a_screen_is_sent_what_changes_in_its_scope(world, room):
    async with Wall(world.secret) as wall, Wall(world.other_secret) as whole:
        painted = await wall.painted()
        await whole.painted()
        assert "site-EAST" in painted.ids
        assert "WEST" not in painted.html
        assert {"nav-alerts", "approvals"} & set(painted.ids) == set()

        await in_thread(lambda: change(world.there, presence="offline"))
        await whole.showing("total-offline")
        await in_thread(lambda: change(world.here, presence="offline"))

        assert "number-offline" in (await wall.showing("number-offline")).html
    assert room.live_pages == {}


def revoke(world):
    services.revoke(world.screen)


def narrow(world):
    world.screen.region, world.screen.site = "", world.here.site
    services.change(world.screen)


def show_other_boards(world):
    world.screen.boards = ["sites"]
    services.change(world.screen)


@pytest.mark.parametrize("event", [revoke, narrow, show_other_boards])
async def test_a_screen_that_was_revoked_or_changed_loads_its_page_again_and_no_other(world, room, event):
    before = counted()["rights", "kept"]
    async with Wall(world.secret) as wall, Wall(world.other_secret) as other:
        await wall.painted()
        await other.painted()

        await in_thread(event, world)

        assert await wall.closed() == 4403
        await other.beat()
        assert not other.connection.closed.done()
        assert counted()["rights", "kept"] == before + 1


async def test_a_revoked_screen_is_sent_nothing_more(world, room):
    async with Wall(world.secret) as wall, Wall(world.other_secret) as other:
        await wall.painted()
        await other.painted()
        await in_thread(revoke, world)
        await wall.closed()
        sent = wall.connection.sent.qsize()

        await in_thread(lambda: change(world.here, presence="offline"))

        await other.showing("number-offline")
        assert wall.connection.sent.qsize() == sent


@pytest.mark.parametrize("text", ['{"ask": "at", "alert": 1, "doing": "typing"}', '{"ask": "at"}', "{}", "x"])
async def test_a_screen_may_ask_for_a_repaint_and_for_nothing_else(world, room, text):
    async with Wall(world.secret) as wall:
        await wall.painted()
        wall.send_text('{"ask": "repaint"}')
        await wall.frame("repaint")

        wall.send_text(text)

        assert await wall.closed() == 4400


async def test_a_screen_is_not_on_shift(world, room, board):
    async with Wall(world.secret) as wall, board("/", person=world.lead) as opened:
        await wall.painted()
        await opened.painted()

        assert {each.person for page in room.live_pages.values() for each in page.subscribers} == {None, world.lead.pk}
        await opened.beat()


async def test_a_waiting_television_loads_its_page_again_when_a_code_was_entered(world, room):
    television = screens.television()
    await in_thread(lambda: television.post("/wall/code/"))
    async with Wall(screens.secret_of(television)) as waiting:
        await in_thread(lambda: screens.paired("Another one", by=world.lead))

        assert await waiting.closed() == 4403


@pytest.mark.parametrize("secret", ["", "unknown"])
async def test_a_television_without_a_valid_code_loads_its_page_again(world, room, secret):
    async with Wall(secret) as wall:
        assert await wall.closed() == 4403
        assert wall.connection.sent.empty()
