"""A change of a person's rights closes their open boards, so that the browser loads the page again."""

import pytest
from django.db import connection

from tests.boards.live.changes import change
from tests.support import people
from tests.support.slo_counters import counted
from tests.support.threads import in_thread
from tms.accounts.models import Grant, Role, Team
from tms.boards.live import tasks

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


class Guard:
    """A person who sees one site by a grant, and another one by a team."""

    def __init__(self, fleet) -> None:
        self.sites = fleet.site("EAST"), fleet.site("WEST")
        self.terminals = [fleet.online(site=site, uid=f"{site.code}-1") for site in self.sites]
        self.person, self.colleague = people.person("guard", of=None), people.person("colleague", of=None)
        self.role = Role.objects.create(name="Guard", permissions=["handle_alerts"])
        for person in (self.person, self.colleague):
            Grant.objects.create(person=person, role=self.role, site=self.sites[0])
        self.team = Team.objects.create(name="West")
        self.team.members.add(self.person)
        Grant.objects.create(team=self.team, role=self.role, site=self.sites[1])


@pytest.fixture
def guard(fleet):
    return Guard(fleet)


@pytest.fixture(autouse=True)
def no_interval(monkeypatch):
    """What closes a board is the feed."""
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 3600)


def rights_samples():
    return counted()["rights", "kept"]


def lose_the_grant(guard):
    guard.person.grants.all().delete()


def lose_the_grant_of_the_team(guard):
    guard.team.grants.all().delete()


def leave_the_team(guard):
    guard.team.members.remove(guard.person)


def see_more(guard):
    people.grant(guard.person)


@pytest.mark.parametrize("event", [lose_the_grant, lose_the_grant_of_the_team, leave_the_team, see_more])
async def test_changed_rights_close_the_boards_of_the_person_and_no_other(guard, board, event):
    before = rights_samples()
    async with (
        board("/terminals/", person=guard.person) as opened,
        board("/", person=guard.person) as another,
        board("/terminals/", person=guard.colleague) as unaffected,
    ):
        for each in (opened, another, unaffected):
            await each.painted()

        await in_thread(event, guard)

        assert [await each.closed() for each in (opened, another)] == [4403, 4403]
        await unaffected.beat()
        assert not unaffected.connection.closed.done()
        assert rights_samples() == before + 2


async def test_a_role_with_other_permissions_closes_the_boards_of_everyone_who_holds_it(guard, board):
    async with board("/", person=guard.person) as one, board("/", person=guard.colleague) as two:
        await one.painted()
        await two.painted()

        guard.role.permissions = []
        await in_thread(guard.role.save)

        assert [await opened.closed() for opened in (one, two)] == [4403, 4403]


async def test_after_it_has_been_closed_a_board_is_sent_nothing(guard, board):
    async with board("/terminals/", person=guard.person) as opened, board("/terminals/") as everything:
        await opened.painted()
        await everything.painted()

        await in_thread(leave_the_team, guard)
        await opened.closed()
        sent = opened.connection.sent.qsize()
        await in_thread(lambda: change(*guard.terminals, presence="offline"))

        await everything.showing("WEST-1")
        assert opened.connection.sent.qsize() == sent


async def test_the_page_that_is_loaded_again_shows_the_new_scope(guard, board):
    async with board("/terminals/", person=guard.person) as opened:
        assert "WEST-1" in (await opened.painted()).html
        await in_thread(leave_the_team, guard)
        await opened.closed()
    del guard.person._rights  # as for the next request of a browser

    async with board("/terminals/", person=guard.person) as again:
        painted = await again.painted()
        assert "EAST-1" in painted.html
        assert "WEST-1" not in painted.html


async def test_a_board_that_is_opened_with_outdated_rights_is_closed_at_once(guard, board):
    """They were read, and then withdrawn before the board was subscribed."""
    async with board("/terminals/", person=guard.person) as first:
        await first.painted()
        await in_thread(leave_the_team, guard)
        await first.closed()

    async with board("/terminals/", person=guard.person) as opened:
        assert await opened.closed() == 4403


async def test_a_change_that_the_feed_lost_is_found_by_the_next_check(guard, board, monkeypatch):
    monkeypatch.setattr(tasks, "SIGN_IN_CHECK_S", 0.05)
    before = rights_samples()
    async with board("/terminals/", person=guard.person) as opened:
        await opened.painted()

        await in_thread(delete_silently)

        assert await opened.closed() == 4403
        assert rights_samples() == before + 1


def delete_silently():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_grant")


async def test_a_sign_in_without_changed_rights_closes_nothing(guard, board):
    async with board("/terminals/", person=guard.person) as opened:
        await opened.painted()

        await in_thread(guard.person.save)

        for _ in range(3):
            await opened.beat()
        assert not opened.connection.closed.done()
