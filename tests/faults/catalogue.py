"""Every fault, by its environment."""

from typing import Any

from tests.faults import (
    client_limits,
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
    postgresql_outage,
    redis_outage,
    sign_in_flood,
    storm,
)
from tests.faults.clock_step import SteppedClockCluster
from tests.faults.connection_flood import LIMITS
from tests.faults.disk_full import SmallDiskCluster, SmallDiskProcess
from tests.faults.environment import FaultCluster, SingleProcess
from tests.faults.failover import ReplicatedCluster
from tests.faults.fault_group import FaultGroup
from tests.faults.network import CabledCluster
from tests.faults.scenario import Scenario

GROUPS: tuple[FaultGroup[Any], ...] = (
    FaultGroup(
        lambda: Scenario(FaultCluster(3, clocks=2, settings=LIMITS)),
        (
            *nodes.FAULTS,
            *redis_outage.FAULTS,
            *postgresql_outage.FAULTS,
            *leader.FAULTS,
            *client_limits.FAULTS,
            *clients.FAULTS,
            *hostile.FAULTS,
            *sign_in_flood.FAULTS,
        ),
    ),
    FaultGroup(storm.storm_scenario, storm.FAULTS),
    FaultGroup(one_address.chain_scenario, one_address.FAULTS),
    FaultGroup(lambda: Scenario(ReplicatedCluster(), agents=10, light=50), failover.FAULTS),
    FaultGroup(lambda: Scenario(CabledCluster(), agents=10, light=50), network.FAULTS),
    FaultGroup(lambda: Scenario(SteppedClockCluster(), agents=10, light=50), clock_step.FAULTS),
    FaultGroup(lambda: Scenario(SmallDiskCluster(), agents=10, light=50), disk_full.POSTGRESQL),
    FaultGroup(lambda: Scenario(SmallDiskProcess(), agents=10, light=30), disk_full.SQLITE),
    FaultGroup(lambda: Scenario(SingleProcess(), agents=10, light=30, report_every_s=0.5), killed.FAULTS),
)
