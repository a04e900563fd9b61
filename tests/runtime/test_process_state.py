"""Which objects of a process follow the feed, and since when."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tms.alerts.rules.cache import rule_cache
from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.incidents import incident_cache
from tms.boards.caches.plans import plan_cache
from tms.boards.caches.running_jobs import running_job_cache
from tms.boards.caches.running_rollouts import running_rollout_cache
from tms.boards.caches.sound_alarms import alarm_cache
from tms.boards.live.board_hub import board_hub
from tms.feed.hub import hub
from tms.fleet.sites.hours_cache import hours_cache
from tms.ingest.gateway import gateway
from tms.runtime import process_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def process(feed_recorder: object) -> AsyncIterator[None]:
    """A process that has not started anything yet."""
    for one in (hub, board_hub, gateway):
        one.reset()
    yield
    await process_state.stop_boards()
    await gateway().stop()
    gateway.reset()
    await process_state.stop_feed()


async def test_a_node_follows_with_its_links_and_the_caches_of_pages(process):
    process_state.start_links()

    assert hub().is_started
    caches = {
        rule_cache(),
        census_cache(),
        incident_cache(),
        plan_cache(),
        hours_cache(),
        running_job_cache(),
        running_rollout_cache(),
    }
    assert hub().listeners == {gateway().links, *caches}


async def test_boards_follow_from_the_first_one_on(process):
    process_state.start_links()
    process_state.start_boards()

    assert hub().listeners >= {alarm_cache(), board_hub()}

    await process_state.stop_boards()
    assert not hub().listeners & {alarm_cache(), board_hub()}


async def test_a_clock_follows_with_its_rules_only(process):
    process_state.start_clock()

    assert hub().listeners == {rule_cache()}


async def test_starting_again_changes_nothing(process):
    process_state.start_links()
    task, listeners = hub()._task, set(hub().listeners)

    assert process_state.start_links() is gateway()
    assert (hub()._task, hub().listeners) == (task, listeners)
