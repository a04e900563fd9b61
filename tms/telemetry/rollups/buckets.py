"""Sums of one terminal's readings per time bucket, computed by the database."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple, Self

import msgspec
from django.db import connection

from tms.fleet.models import Terminal
from tms.lib.db import rows as db_rows
from tms.lib.db.prepared import DbRow
from tms.protocol.limits import METRIC_BOUND
from tms.telemetry.models import Report, Rollup

# A reading is a key of a JSON object: the ORM can neither expand nor sum it. On SQLite it would also assign instants to
# buckets in Python, row by row.
BEGIN = {
    "postgresql": (
        "floor((extract(epoch FROM {at})::double precision + %(shift)s) / %(bucket)s)::bigint * %(bucket)s - %(shift)s"
    ),
    "sqlite": "(CAST(strftime('%%s', {at}) AS INTEGER) + %(shift)s) / %(bucket)s * %(bucket)s - %(shift)s",
}
VALUE = {"postgresql": "m.value::double precision", "sqlite": "m.value"}
UNFOLD = {"postgresql": "jsonb_each_text", "sqlite": "json_each"}

MAX_REPORTS = 50_000
"""Reports that a chart reads: one a second for half a day. Of more than these it reads some in each slice of time."""
SLICES, REPORTS_OF_SLICE = 1_800, 5

IS_DENSE = """
    SELECT count(*) > {most} FROM (
        SELECT 1 FROM {table} AS r WHERE r.terminal_id = %(terminal)s AND r.at >= %(since)s AND r.at < %(until)s
        LIMIT {most} + 1
    ) AS counted
"""
ALL_REPORTS = """
    SELECT r.at, r.metrics, r.late FROM {table} AS r
    WHERE r.terminal_id = %(terminal)s AND r.at >= %(since)s AND r.at < %(until)s AND NOT (r.late AND r.undated)
"""
SOME_REPORTS = {
    "postgresql": """
    SELECT picked.at, picked.metrics, picked.late FROM {slices} CROSS JOIN LATERAL (
        SELECT k.at, k.metrics, k.late FROM {table} AS k
        WHERE k.terminal_id = %(terminal)s AND k.at >= r.since AND k.at < r.until AND NOT (k.late AND k.undated)
        ORDER BY k.at LIMIT {limit}
    ) AS picked
""",
    "sqlite": """
    SELECT picked.at, picked.metrics, picked.late FROM {slices} JOIN {table} AS picked ON picked.rowid IN (
        SELECT k.rowid FROM {table} AS k
        WHERE k.terminal_id = %(terminal)s AND k.at >= r.since AND k.at < r.until AND NOT (k.late AND k.undated)
        ORDER BY k.at LIMIT {limit}
    )
""",
}
OF_REPORTS = """
    SELECT {begin}, m.key, count(*), sum({value}), min({value}), max({value}), max(CASE WHEN r.late THEN 1 ELSE 0 END)
    FROM ({reports}) AS r, {unfold}(r.metrics) AS m
    WHERE abs({value}) <= {bound} {among}
    GROUP BY 1, 2
"""
OF_ROLLUPS = """
    SELECT {begin}, r.metric, CAST(sum(r.count) AS bigint), sum(r.total), min(r.lowest), max(r.highest), 0
    FROM {table} AS r
    WHERE r.terminal_id = %(terminal)s AND r.hour >= %(since)s AND r.hour < %(until)s
        AND r.lowest >= -{bound} AND r.highest <= {bound} {among}
    GROUP BY 1, 2
"""
NAMES_OF_REPORTS = """
    SELECT DISTINCT m.key FROM ({reports}) AS r, {unfold}(r.metrics) AS m
"""
NAMES_OF_ROLLUPS = """
    SELECT DISTINCT r.metric FROM {table} AS r
    WHERE r.terminal_id = %(terminal)s AND r.hour >= %(since)s AND r.hour < %(until)s
"""
AMONG = {
    "postgresql": "AND {name} IN (SELECT jsonb_array_elements_text(%(names)s::jsonb))",
    "sqlite": "AND {name} IN (SELECT value FROM json_each(%(names)s))",
}


class Sum(NamedTuple):
    """Sums of one metric in one bucket. `begin` is in seconds since the epoch."""

    begin: int
    metric: str
    number: int
    total: float
    lowest: float
    highest: float
    late: int
    """1 if any reading was late. Roll-ups do not record it."""

    def plus(self, other: Self) -> Self:
        return self._replace(
            number=self.number + other.number,
            total=self.total + other.total,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            late=self.late | other.late,
        )


class Cut(NamedTuple):
    """Buckets of `length_s`, which begin `shift_s` before those of UTC."""

    length_s: int
    shift_s: int = 0


type Names = Collection[str] | None
"""Limits the metrics to `names`; None for all."""

type Slices = Sequence["SliceRow"] | None
"""Limits the reports to some of each slice of time; None for all."""


ONE_SECOND = Cut(1)


class SliceRow(msgspec.Struct, frozen=True, gc=False):
    since: datetime
    until: datetime


def slices(terminal: Terminal, since: datetime, until: datetime) -> Slices:
    """Slices of the time from `since` to `until`, if the terminal has so many reports in it that a chart reads only
    some of each.
    """
    sql = IS_DENSE.format(table=Report._meta.db_table, most=MAX_REPORTS)
    if not _rows(sql, terminal, since, until)[0][0]:
        return None
    length = (until - since) / SLICES
    begins = [(since + number * length).astimezone(UTC) for number in range(SLICES)]
    return [SliceRow(begin, end) for begin, end in pairwise([*begins, until.astimezone(UTC)])]


def of_reports(
    terminal: Terminal, cut: Cut, since: datetime, until: datetime, names: Names = None, slices: Slices = None
) -> list[Sum]:
    """Sums of the reports from `since` to before `until`, without values outside the bounds."""
    vendor = connection.vendor
    sql = OF_REPORTS.format(
        begin=BEGIN[vendor].format(at="r.at"),
        reports=_reports(slices),
        value=VALUE[vendor],
        unfold=UNFOLD[vendor],
        bound=METRIC_BOUND,
        among=_among("m.key", names),
    )
    return [Sum(*row) for row in _rows(sql, terminal, since, until, cut=cut, names=names, slices=slices)]


def of_rollups(terminal: Terminal, cut: Cut, since: datetime, until: datetime, names: Names = None) -> list[Sum]:
    """Sums of the whole hours from `since` to before `until`."""
    sql = OF_ROLLUPS.format(
        begin=BEGIN[connection.vendor].format(at="r.hour"),
        table=Rollup._meta.db_table,
        bound=METRIC_BOUND,
        among=_among("r.metric", names),
    )
    return [Sum(*row) for row in _rows(sql, terminal, since, until, cut=cut, names=names)]


def names_of_reports(terminal: Terminal, since: datetime, until: datetime, slices: Slices = None) -> set[str]:
    sql = NAMES_OF_REPORTS.format(reports=_reports(slices), unfold=UNFOLD[connection.vendor])
    return {name for (name,) in _rows(sql, terminal, since, until, slices=slices)}


def names_of_rollups(terminal: Terminal, since: datetime, until: datetime) -> set[str]:
    sql = NAMES_OF_ROLLUPS.format(table=Rollup._meta.db_table)
    return {name for (name,) in _rows(sql, terminal, since, until)}


def _reports(slices: Slices) -> str:
    table = Report._meta.db_table
    if slices is None:
        return ALL_REPORTS.format(table=table)
    source = db_rows.source(SliceRow).replace("%s", "%(slices)s")
    return SOME_REPORTS[connection.vendor].format(table=table, slices=source, limit=REPORTS_OF_SLICE)


def _among(name: str, names: Names) -> str:
    return "" if names is None else AMONG[connection.vendor].format(name=name)


def merge(sums: Iterable[Sum]) -> list[Sum]:
    """One sum for each bucket and metric."""
    found: dict[tuple[int, str], Sum] = {}
    for one in sums:
        known = found.get((one.begin, one.metric))
        found[one.begin, one.metric] = known.plus(one) if known else one
    return list(found.values())


def _rows(
    sql: str,
    terminal: Terminal,
    since: datetime,
    until: datetime,
    *,
    cut: Cut = ONE_SECOND,
    names: Names = None,
    slices: Slices = None,
) -> list[DbRow]:
    given: Mapping[str, int | str | datetime] = {
        "terminal": terminal.pk,
        "bucket": cut.length_s,
        "shift": cut.shift_s,
        "since": _moment(since),
        "until": _moment(until),
        "names": json.dumps(list(names or ())),
        "slices": db_rows.encode(slices or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[DbRow] = cursor.fetchall()
    return rows


def _moment(at: datetime) -> datetime | str:
    """The instant as the database compares it: SQLite stores text."""
    return at if connection.vendor == "postgresql" else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
