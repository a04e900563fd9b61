"""The counts that a process keeps, renewed by what the feed tells."""

import pytest

from tests import factories
from tests.at_once import aside
from tests.boards.live.test_frames import change
from tms.boards import census
from tms.boards.census import Kept
from tms.live.change import MAX_IDS, Change
from tms.live.hub import hub

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(fleet, monkeypatch):
    """Listens to a hub that is live."""
    kept = Kept()
    monkeypatch.setattr(type(hub), "is_live", True)
    monkeypatch.setattr(hub, "listeners", {kept})
    return kept


def news(*terminals, **fields):
    change(*terminals, **fields)
    return Change(presence=frozenset(terminal.pk for terminal in terminals))


def test_it_agrees_with_a_count_of_everything_after_every_change(kept, fleet, tanaka):
    terminals = [fleet.online(site=fleet.site(f"S{n % 2}")) for n in range(6)]
    alert = factories.alert(fleet, terminal=terminals[0])
    assert kept.read() == census.take()

    kept.changed(news(*terminals[:3], presence="silent"))
    assert kept.read() == census.take()

    kept.changed(news(terminals[0], presence="offline"))
    factories.acknowledged(alert, by=tanaka)
    kept.changed(Change(alerts=frozenset({alert.pk})))
    assert kept.read() == census.take()


def test_what_did_not_change_is_not_counted_again(kept, fleet, django_assert_num_queries):
    terminals = fleet.terminals(5, presence="online")
    kept.read()
    told = news(terminals[0], presence="offline")

    with django_assert_num_queries(0):
        kept.read()
    kept.changed(told)
    with django_assert_num_queries(1):
        assert kept.read().by_presence() == {"online": 4, "offline": 1}


def test_a_report_moves_no_count(kept, fleet, django_assert_num_queries):
    (terminal,) = fleet.terminals(1)
    kept.read()

    kept.changed(Change(terminals=frozenset({terminal.pk})))

    with django_assert_num_queries(0):
        kept.read()


def test_more_news_than_can_be_named_is_a_count_of_everything(kept, fleet):
    (terminal,) = fleet.terminals(1, presence="online")
    kept.read()
    change(terminal, presence="offline")

    kept.changed(Change(terminals=frozenset(range(MAX_IDS + 1))) | Change(alerts=frozenset({1})))

    assert kept.read().by_presence() == {"offline": 1}


async def test_without_a_feed_everything_is_counted_every_time(fleet, monkeypatch):
    kept = Kept()
    (terminal,) = await aside(lambda: fleet.terminals(1, presence="online"))
    await aside(kept.read)
    await aside(lambda: type(terminal).objects.all().delete())

    assert (await aside(kept.read)).total == 0
