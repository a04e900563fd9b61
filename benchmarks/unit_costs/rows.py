"""What reports and the presence sweep write."""

import itertools
from datetime import timedelta

from django.db import connection
from django.db.models import F

from benchmarks.flush import boot, flushes, publishing
from benchmarks.unit_costs.plan import UnitPlan
from benchmarks.unit_costs.spent import measured
from tms.clock.presence_sweep import sweep as sweep_once
from tms.fleet.models import TerminalState
from tms.lib.db.clock import db_clock
from tms.telemetry.storage import partitions

TABLE_BYTES = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('telemetry_report')"
WAL_BYTES = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"


def write_reports(plan: UnitPlan) -> dict[str, float]:
    """WAL, with the pages that are logged whole after a checkpoint, and what is on disk afterwards; per report."""
    partitions.maintain(db_clock().now())
    links = boot(plan.terminals)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    number, table, wal = plan.terminals * plan.reports_each, _number(TABLE_BYTES), _number(WAL_BYTES)
    with publishing(), measured() as spent:
        for _ in itertools.islice(flushes(links, plan.flush), number // plan.flush):
            pass
    sizes = {"WAL bytes": _number(WAL_BYTES) - wal, "table bytes": _number(TABLE_BYTES) - table}
    return {name: size / number for name, size in sizes.items()} | spent.each(number)


def sweep(plan: UnitPlan) -> dict[str, float]:
    """The cost of a terminal that is due and has renewed its lease: nearly all that the sweep finds."""
    at = db_clock().now()
    renewed = TerminalState.objects.on_node(None).update(
        due_at=at - timedelta(seconds=1), lease_at=at + timedelta(hours=1)
    )
    wal = _number(WAL_BYTES)
    with measured() as spent:
        while TerminalState.objects.due(at).exists():
            sweep_once(at)
    assert renewed == TerminalState.objects.filter(due_at=F("lease_at")).count()
    return {"WAL bytes": (_number(WAL_BYTES) - wal) / renewed, **spent.each(renewed)}


def _number(sql: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return float(cursor.fetchone()[0])
