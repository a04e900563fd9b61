"""Which objects of a process follow the feed. Nothing else registers a listener."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from tms.alerts.rules.cache import rule_cache
from tms.boards.caches.census_cache import census_cache
from tms.boards.caches.incidents import incident_cache
from tms.boards.caches.next_steps import next_step_cache
from tms.boards.caches.plans import plan_cache
from tms.boards.caches.running_jobs import running_job_cache
from tms.boards.caches.running_rollouts import running_rollout_cache
from tms.boards.caches.sound_alarms import alarm_cache
from tms.boards.caches.waiting_approvals import approval_cache
from tms.boards.live.board_hub import board_hub
from tms.boards.wall.waiting import waiting_screens
from tms.feed.hub import ChangeListener, hub
from tms.fleet.sites.hours_cache import hours_cache
from tms.ingest.gateway import gateway
from tms.ingest.links import Links


class ProcessRole(Enum):
    """The role of a process. One process may have several: the embedded default has all of them."""

    SERVE = "serve"
    """Links of terminals, and pages."""
    BOARDS = "boards"
    """Boards, from the first open one on: caches that only boards need are not updated before."""
    CLOCK = "clock"


def links() -> Links:
    return gateway().links


LISTENERS: Mapping[ProcessRole, Sequence[Callable[[], ChangeListener]]] = {
    ProcessRole.SERVE: (
        rule_cache,
        links,
        census_cache,
        incident_cache,
        plan_cache,
        hours_cache,
        running_job_cache,
        running_rollout_cache,
    ),
    ProcessRole.BOARDS: (
        *(census_cache, incident_cache, plan_cache, hours_cache, alarm_cache, approval_cache, next_step_cache),
        *(board_hub, waiting_screens),
    ),
    ProcessRole.CLOCK: (rule_cache,),
}


def register(role: ProcessRole) -> None:
    hub().listeners |= {listener() for listener in LISTENERS[role]}


def unregister(role: ProcessRole) -> None:
    hub().listeners -= {listener() for listener in LISTENERS[role]}
