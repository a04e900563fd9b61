"""What a cell, many cells, or one fleet on other engines costs a month."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.scaling import inputs, prices
from benchmarks.scaling.limits import DATABASE_CORES, GB
from benchmarks.scaling.parts.fleet import DAY_S
from benchmarks.scaling.stack import Stack

DAYS = 30
DIRECTORY_TERMINALS = 1_000
"""What is above the cells is a stack as small as possible."""


@dataclass(frozen=True)
class Item:
    name: str
    number: float
    price: float

    @property
    def dollars(self) -> float:
        return self.number * self.price


def total(items: Sequence[Item]) -> float:
    return sum(item.dollars for item in items)


def cell(terminals: int) -> list[Item]:
    """One stack as it is today."""
    stack = Stack(terminals)
    return [
        Item("machines", stack.fleet.machines, prices.MACHINE),
        Item("databases of that size", math.ceil(stack.database.cores / DATABASE_CORES), prices.DATABASE),
        Item("disk of the database, GB", stack.database.disk_bytes / GB, prices.DISK_GB),
        Item("load balancer", 1, prices.BALANCER),
        Item("LCU", math.ceil(terminals / prices.LCU_CONNECTIONS), prices.LCU),
        Item("NAT gateways and endpoints", 1, prices.NETWORK),
        Item("Redis", 1, prices.REDIS),
        Item("snapshots and dumps, GB of the disk", stack.database.disk_bytes / GB, prices.BACKUP_GB),
        Item("transfer, thousand terminals", terminals / 1_000, prices.TRANSFER),
        Item("others", 1, prices.OTHERS),
    ]


def cells(terminals: int, *, each: int) -> float:
    """A fleet in cells, and what is above them."""
    number = math.ceil(terminals / each)
    above = total(cell(DIRECTORY_TERMINALS)) if number > 1 else 0.0
    return number * total(cell(min(each, terminals))) + above


def engines(terminals: int) -> list[Item]:
    """The same fleet in one installation, whose parts are replaced by engines for large fleets."""
    stack = Stack(terminals)
    readings_per_s = stack.fleet.reports_per_s * inputs.READINGS
    column_nodes = math.ceil(readings_per_s / prices.COLUMN_READINGS) * prices.COPIES
    return [
        Item("machines for links and boards", stack.fleet.machines, prices.MACHINE),
        Item("Network Load Balancer, NLCU", _nlcu(stack), prices.NLCU),
        Item("NATS", prices.BROKERS, prices.BROKER),
        Item("Kinesis, shards", _shards(stack), prices.SHARD),
        Item("ClickHouse, nodes", column_nodes, prices.COLUMN_NODE),
        Item("ClickHouse, GB", _column_gb(stack), prices.COLUMN_GB),
        Item("Aurora, pairs", math.ceil(stack.database.boot_cores / prices.AURORA_CORES), prices.AURORA),
        Item("NAT gateways and endpoints", 1, prices.NETWORK),
        Item("others", 1, prices.OTHERS),
    ]


def iot_links(terminals: int) -> list[Item]:
    """Links and reports through AWS IoT Core, instead of machines and a load balancer."""
    month_s = DAYS * DAY_S
    return [
        Item("AWS IoT Core, million minutes", terminals * month_s / 60 / 1e6, prices.LINK_MINUTES),
        Item(
            "AWS IoT Core, million messages", Stack(terminals).fleet.reports_per_s * month_s / 1e6, prices.IOT_MESSAGES
        ),
    ]


def _nlcu(stack: Stack) -> int:
    gb_an_hour = stack.fleet.reports_per_s * inputs.WIRE_BYTES * 3600 / GB
    return math.ceil(max(stack.terminals / prices.NLCU_CONNECTIONS, gb_an_hour / prices.NLCU_GB))


def _shards(stack: Stack) -> int:
    return math.ceil(stack.fleet.reports_per_s * inputs.WIRE_BYTES / 1e6 / prices.SHARD_MB)


def _column_gb(stack: Stack) -> float:
    return column_bytes_a_day(stack) * inputs.READINGS_DAYS * prices.COPIES / GB


def column_bytes_a_day(stack: Stack) -> float:
    return stack.fleet.reports_per_s * inputs.READINGS * DAY_S * inputs.READING_BYTES
