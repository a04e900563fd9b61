"""What the readings of one terminal come to in each stretch of time, added up by the database."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Self

from django.db import connection

from tms.fleet.models import Terminal
from tms.telemetry.models import Report, Rollup

# A reading is a key of a JSON object: the ORM can neither unfold nor sum them up. And on SQLite it cuts instants into
# buckets in Python, row by row.
BEGIN = {
    "postgresql": (
        "floor((extract(epoch FROM {at})::double precision + %(shift)s) / %(bucket)s)::bigint * %(bucket)s - %(shift)s"
    ),
    "sqlite": "(CAST(strftime('%%s', {at}) AS INTEGER) + %(shift)s) / %(bucket)s * %(bucket)s - %(shift)s",
}
VALUE = {"postgresql": "m.value::double precision", "sqlite": "m.value"}
UNFOLD = {"postgresql": "jsonb_each_text", "sqlite": "json_each"}

OF_REPORTS = """
    SELECT {begin}, m.key, count(*), sum({value}), min({value}), max({value}), max(CASE WHEN r.late THEN 1 ELSE 0 END)
    FROM {table} AS r, {unfold}(r.metrics) AS m
    WHERE r.terminal_id = %(terminal)s AND r.at >= %(since)s AND r.at < %(until)s AND NOT (r.late AND r.undated)
    GROUP BY 1, 2
"""
OF_ROLLUPS = """
    SELECT {begin}, r.metric, CAST(sum(r.count) AS bigint), sum(r.total), min(r.lowest), max(r.highest), 0
    FROM {table} AS r
    WHERE r.terminal_id = %(terminal)s AND r.hour >= %(since)s AND r.hour < %(until)s GROUP BY 1, 2
"""


class Sum(NamedTuple):
    """What the readings of one metric in one bucket come to. `begin` is in seconds since the epoch."""

    begin: int
    metric: str
    number: int
    total: float
    lowest: float
    highest: float
    late: int
    """1 if any of them came late. Roll-ups do not know."""

    def plus(self, other: Self) -> Self:
        return self._replace(
            number=self.number + other.number,
            total=self.total + other.total,
            lowest=min(self.lowest, other.lowest),
            highest=max(self.highest, other.highest),
            late=self.late | other.late,
        )


class Cut(NamedTuple):
    """Time in buckets of `length_s`, which begin `shift_s` before those of UTC."""

    length_s: int
    shift_s: int = 0


def of_reports(terminal: Terminal, cut: Cut, since: datetime, until: datetime) -> list[Sum]:
    """Of the reports from `since` to before `until`."""
    vendor = connection.vendor
    begin = BEGIN[vendor].format(at="r.at")
    table, value, unfold = Report._meta.db_table, VALUE[vendor], UNFOLD[vendor]
    sql = OF_REPORTS.format(begin=begin, table=table, value=value, unfold=unfold)
    return _sums(sql, terminal, cut, since, until)


def of_rollups(terminal: Terminal, cut: Cut, since: datetime, until: datetime) -> list[Sum]:
    """Of the whole hours from `since` to before `until`."""
    begin = BEGIN[connection.vendor].format(at="r.hour")
    return _sums(OF_ROLLUPS.format(begin=begin, table=Rollup._meta.db_table), terminal, cut, since, until)


def merged(sums: Iterable[Sum]) -> list[Sum]:
    """One for each bucket and metric."""
    found: dict[tuple[int, str], Sum] = {}
    for one in sums:
        known = found.get((one.begin, one.metric))
        found[one.begin, one.metric] = known.plus(one) if known else one
    return list(found.values())


def _sums(sql: str, terminal: Terminal, cut: Cut, since: datetime, until: datetime) -> list[Sum]:
    given: Mapping[str, int | str | datetime] = {
        "terminal": terminal.pk,
        "bucket": cut.length_s,
        "shift": cut.shift_s,
        "since": _moment(since),
        "until": _moment(until),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return [Sum(*row) for row in cursor.fetchall()]


def _moment(at: datetime) -> datetime | str:
    """As the database compares instants: SQLite has only text."""
    return at if connection.vendor == "postgresql" else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
