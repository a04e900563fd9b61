"""Every fault, by its environment."""

from typing import Any

from tests.faults import (
    clients,
    clock_step,
    disk_full,
    failover,
    hostile,
    killed,
    leader,
    network,
    nodes,
    one_address,
    postgresql_away,
    redis_away,
    sign_in_flood,
    storm,
    strangers,
)
from tests.faults.clock_step import Stepped
from tests.faults.crowd import LIMITS
from tests.faults.disk_full import SmallDiskCluster, SmallDiskSingle
from tests.faults.failover import Replicated
from tests.faults.network import Wired
from tests.faults.place import Several, Single
from tests.faults.scene import Scene
from tests.faults.stage import Stage

STAGES: tuple[Stage[Any], ...] = (
    Stage(
        lambda: Scene(Several(3, clocks=2, settings=LIMITS)),
        (
            *nodes.FAULTS,
            *redis_away.FAULTS,
            *postgresql_away.FAULTS,
            *leader.FAULTS,
            *strangers.FAULTS,
            *clients.FAULTS,
            *hostile.FAULTS,
            *sign_in_flood.FAULTS,
        ),
    ),
    Stage(storm.stormy, storm.FAULTS),
    Stage(one_address.chain, one_address.FAULTS),
    Stage(lambda: Scene(Replicated(), agents=10, light=50), failover.FAULTS),
    Stage(lambda: Scene(Wired(), agents=10, light=50), network.FAULTS),
    Stage(lambda: Scene(Stepped(), agents=10, light=50), clock_step.FAULTS),
    Stage(lambda: Scene(SmallDiskCluster(), agents=10, light=50), disk_full.POSTGRESQL),
    Stage(lambda: Scene(SmallDiskSingle(), agents=10, light=30), disk_full.SQLITE),
    Stage(lambda: Scene(Single(), agents=10, light=30, report_every_s=0.5), killed.FAULTS),
)
