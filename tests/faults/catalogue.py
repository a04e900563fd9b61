"""Every fault, by the place in which it happens."""

from typing import Any

from tests.faults import clients, failover, leader, nodes, postgresql_away, redis_away
from tests.faults.failover import Replicated
from tests.faults.place import Several
from tests.faults.scene import Scene
from tests.faults.stage import Stage

STAGES: tuple[Stage[Any], ...] = (
    Stage(
        lambda: Scene(Several(3, clocks=2)),
        (*nodes.FAULTS, *redis_away.FAULTS, *postgresql_away.FAULTS, *leader.FAULTS, *clients.FAULTS),
    ),
    Stage(lambda: Scene(Replicated(), agents=10, light=50), failover.FAULTS),
)
