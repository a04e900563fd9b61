"""Every fault, by its environment."""

from typing import Any

from tests.faults.clients import backfill_flood, hostile_frames, limits, misbehaving, sign_in_flood
from tests.faults.clients.connection_flood import LIMITS
from tests.faults.fault_group import FaultGroup
from tests.faults.half_done import imports, move, replacement
from tests.faults.network import cuts, outages, storm
from tests.faults.network.cuts import CabledCluster
from tests.faults.processes import clock_step, job, killed, leader, nodes, one_address
from tests.faults.processes.clock_step import SteppedClockCluster
from tests.faults.rollouts import killed as rollout_killed
from tests.faults.rollouts import leak, waves
from tests.faults.scenario.environment import FaultCluster, SingleProcess
from tests.faults.scenario.scenario import Scenario
from tests.faults.stores import disk_full, failover, postgresql_outage, redis_outage
from tests.faults.stores.disk_full import SmallDiskCluster, SmallDiskProcess
from tests.faults.stores.failover import ReplicatedCluster

GROUPS: tuple[FaultGroup[Any], ...] = (
    FaultGroup(
        lambda: Scenario(FaultCluster(3, clocks=2, settings=LIMITS)),
        (
            *nodes.FAULTS,
            *redis_outage.FAULTS,
            *postgresql_outage.FAULTS,
            *leader.FAULTS,
            *replacement.FAULTS,
            *move.FAULTS,
            *imports.FAULTS,
            *limits.FAULTS,
            *misbehaving.FAULTS,
            *hostile_frames.FAULTS,
            *sign_in_flood.FAULTS,
            *outages.FAULTS,
            *backfill_flood.FAULTS,
        ),
    ),
    FaultGroup(storm.storm_scenario, storm.FAULTS),
    FaultGroup(one_address.chain_scenario, one_address.FAULTS),
    FaultGroup(job.job_scenario, job.FAULTS),
    FaultGroup(rollout_killed.rollout_scenario, rollout_killed.FAULTS),
    FaultGroup(waves.wave_scenario, (*waves.FAULTS, *leak.FAULTS)),
    FaultGroup(lambda: Scenario(ReplicatedCluster(), agents=10, light=50), failover.FAULTS),
    FaultGroup(lambda: Scenario(CabledCluster(), agents=10, light=50), cuts.FAULTS),
    FaultGroup(lambda: Scenario(SteppedClockCluster(), agents=10, light=50), clock_step.FAULTS),
    FaultGroup(lambda: Scenario(SmallDiskCluster(), agents=10, light=50), disk_full.POSTGRESQL),
    FaultGroup(lambda: Scenario(SmallDiskCluster(has_wal=True), agents=10, light=50), disk_full.POSTGRESQL_WAL),
    FaultGroup(lambda: Scenario(SmallDiskProcess(), agents=10, light=30), disk_full.SQLITE),
    FaultGroup(lambda: Scenario(SingleProcess(), agents=10, light=30, report_every_s=0.5), killed.FAULTS),
)
