"""What the parts of a stack can take, and the fleet size that exceeds it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.scaling.inputs import Input
from benchmarks.scaling.stack import Stack

GIB, GB, TB = 2**30, 1e9, 1e12
SMALLEST, LARGEST = 1_000, 1_000_000_000

# What Terraform says today. All of it can be raised.
MACHINES = Input(10, "machines", "", "deploy/terraform, `scale.most`")
CONNECTIONS = Input(500, "connections to PostgreSQL", "", "deploy/terraform, `database.connections`")
DISK_TB = Input(0.5, "disk of PostgreSQL", "TB", "deploy/terraform, `database.storage_most_gb`")
DATABASE_CORES = Input(1.2, "CPU of PostgreSQL", "cores", "60 % of a db.m6g.large")

# What the design can take, or the largest part that money buys.
NODE_CORES = Input(0.6, "CPU of a node with boards", "cores", "operating.md, The server")
NODE_GIB = Input(1.5, "memory of a node", "GiB", "two nodes on 4 GiB")
SWEEP_SHARE = Input(0.8, "presence sweep, of each second", "s", "one thread, which has other jobs")
ROLLUP_MINUTES = Input(48, "roll-ups, of each hour", "min", "one thread, which has other jobs")
REDIS_CORES = Input(0.8, "CPU of Redis for the feed", "cores", "one thread")
REDIS_GBIT = Input(10, "feed, from Redis to all processes", "Gbit/s", "assumption: network of a large cache node")
COMPARE_S = Input(2, "boards stand still during their verification", "s", "P9: later than 2 s is too late")
PAGE_S = Input(1, "slowest page", "s", "assumption")
MOST_DATABASE_CORES = Input(58, "CPU of PostgreSQL, largest instance", "cores", "60 % of 96 vCPU")
MOST_CONNECTIONS = Input(5_000, "connections, largest instance", "", "assumption: each is a process")
MOST_DISK_TB = Input(64, "disk, largest instance", "TB", "RDS: 64 TiB")
WAL_MB_PER_S = Input(250, "write-ahead log", "MB/s", "assumption: a quarter of 1,000 MB/s of gp3")
TARGETS = Input(1_000, "machines behind one load balancer", "", "quota of an Application Load Balancer")


@dataclass(frozen=True)
class Limit:
    most: Input
    value: Callable[[Stack], float]
    why: str
    remedy: str

    @property
    def name(self) -> str:
        return self.most.label

    def is_exceeded(self, stack: Stack) -> bool:
        return self.value(stack) > self.most

    @property
    def exceeded_from(self) -> int:
        """The smallest fleet that exceeds it."""
        fits, exceeds = SMALLEST, LARGEST
        while exceeds - fits > 1:
            middle = (fits + exceeds) // 2
            fits, exceeds = (fits, middle) if self.is_exceeded(Stack(middle)) else (middle, exceeds)
        return exceeds


SETTINGS = (
    Limit(MACHINES, lambda stack: stack.fleet.machines, "One for 10,000 terminals, and a spare one", "raise it"),
    Limit(
        CONNECTIONS,
        lambda stack: stack.database.connections,
        "Each node and each clock may open its whole pool",
        "raise it with the memory of the database",
    ),
    Limit(
        DISK_TB,
        lambda stack: stack.database.disk_bytes / TB,
        "14 days of reports and 400 days of roll-ups",
        "raise it, or keep reports for fewer days",
    ),
    Limit(
        DATABASE_CORES,
        lambda stack: stack.database.cores,
        "Reports, roll-ups, and the verification of boards by each node",
        "a larger instance",
    ),
)
DESIGN = (
    Limit(
        REDIS_CORES,
        lambda stack: stack.feed.redis_cores,
        "Every process receives every message: with twice the nodes there are four times the deliveries",
        "fuller nodes; cells; NATS",
    ),
    Limit(
        SWEEP_SHARE,
        lambda stack: stack.clock.sweep_share,
        "One thread of one clock moves the due time of each terminal that is online, about once per report",
        "cells; several sweeps, each for a range of terminals",
    ),
    Limit(
        MOST_CONNECTIONS,
        lambda stack: stack.database.connections,
        "Ten for each process, and no pooler may share them between transactions (decisions 0008 and 0031)",
        "fuller nodes with smaller pools; cells",
    ),
    Limit(
        ROLLUP_MINUTES,
        lambda stack: stack.clock.rollup_share * 60,
        "One thread of one clock reads all reports of the hour again",
        "cells; roll-ups in a column store",
    ),
    Limit(
        COMPARE_S,
        lambda stack: stack.node.compare_s,
        "Each node with boards compares its census of the whole fleet with the database, between two render passes",
        "cells; a comparison in parts",
    ),
    Limit(
        PAGE_S,
        lambda stack: stack.node.page_s,
        "A page about all alerts and all sites grows with them",
        "cells; pages that show a part of the fleet",
    ),
    Limit(
        NODE_CORES,
        lambda stack: stack.node.cores,
        "A node receives all changes and verifies the whole fleet, however few links it has",
        "cells",
    ),
    Limit(
        NODE_GIB,
        lambda stack: stack.node.memory_bytes / GIB,
        "Each node holds the census of the whole fleet",
        "cells; larger machines",
    ),
    Limit(
        MOST_DATABASE_CORES,
        lambda stack: stack.database.cores,
        "Only one instance writes; the verification by each node grows with nodes and fleet",
        "cells; reports in a stream",
    ),
    Limit(
        MOST_DISK_TB,
        lambda stack: stack.database.disk_bytes / TB,
        "Rows with two indexes take ten times the space of a column store",
        "cells; readings in a column store",
    ),
    Limit(
        WAL_MB_PER_S,
        lambda stack: stack.database.wal_bytes_per_s / 1e6,
        "Each report is a row with two index entries, and the newest state of its terminal",
        "cells; reports in a stream",
    ),
    Limit(
        REDIS_GBIT,
        lambda stack: stack.feed.bits_per_s / GB,
        "Each process is sent the id of every terminal that reports",
        "cells; NATS, with only the subjects that a node needs",
    ),
    Limit(
        TARGETS,
        lambda stack: stack.fleet.machines,
        "A target group has a quota",
        "larger machines; cells; several load balancers",
    ),
)


def in_order(limits: tuple[Limit, ...]) -> list[Limit]:
    """What breaks first comes first."""
    return sorted(limits, key=lambda limit: limit.exceeded_from)
