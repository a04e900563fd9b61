"""Hourly roll-ups of readings, for charts of months. Set-based: a batch of terminals of one hour at a time.

A roll-up is always computed from all reports of its hour. Within the retention an hour only ever gains reports, so of
two roll-ups the one with the higher count is newer, and a roll-up never replaces one with a higher count. The work may
therefore run more than once and in any order.

At most `METRIC_NAMES` metrics of a terminal are rolled up per hour, those that already have a roll-up first. Values
outside the bounds of the protocol are skipped.

Late reports without an instant are skipped: they are stored with their time of arrival, and their readings belong to
another hour.

An hour is rolled up when it is over and `SETTLING` has passed. A report that is committed later marks its hour as late,
and the hour is rolled up again.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from django.db import connection, models, transaction
from django.db.models import Min

from tms.fleet.models import Terminal
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.protocol.limits import METRIC_BOUND, METRIC_NAMES
from tms.telemetry.models import LateHour, Report, Rollup, RollupMark
from tms.telemetry.storage.partitions import REPORTS

HOUR = timedelta(hours=1)
SETTLING = timedelta(minutes=5)
GRACE = timedelta(minutes=1)
"""A report committed this soon after its hour is not late. Far less than `SETTLING`, because clocks of nodes differ."""
LONG_TRANSACTION = timedelta(minutes=2)
"""A transaction that has been writing for longer may have begun before its reports were late."""

TERMINALS = 250
"""Terminals per transaction."""
STEPS = 4
"""Transactions per pass."""

unrolled = SetAside[tuple[int, datetime]]("roll_up")
"""Terminal hours whose roll-up fails. They stay marked as late until it succeeds, or until they are too old."""

type LateKey = tuple[int, datetime]
"""A terminal and an hour."""


class LateRow(msgspec.Struct, frozen=True, gc=False):
    terminal_id: int
    hour: datetime


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def late_before(at: datetime) -> datetime:
    """Reports of an hour before this that are committed at `at` must mark it as late."""
    return hour_of(at - GRACE)


def mark_late(keys: Iterable[LateKey]) -> None:
    """Call it in the transaction that writes the reports.

    An existing mark is written again, so that deleting it has to wait for both transactions.
    """
    rows = [LateRow(*key) for key in sorted(keys)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LateHour._meta.db_table} (terminal_id, hour) "
            f"SELECT r.terminal_id, r.hour FROM {db_rows.source(LateRow)} WHERE true "
            "ON CONFLICT (terminal_id, hour) DO UPDATE SET hour = excluded.hour",
            [db_rows.encode(rows)],
        )


def _never_rolled_up(at: datetime) -> models.QuerySet[Terminal]:
    """The terminals of a TMS without roll-ups. The query does not name reports, which would open every partition,
    even if it reads none.
    """
    return Terminal.objects.filter(~models.Exists(RollupMark.objects.all()))


def _hour_due(at: datetime) -> models.QuerySet[RollupMark]:
    return RollupMark.objects.filter(hour__lte=at - HOUR - SETTLING)


@skip_when_empty(_never_rolled_up, _hour_due, lambda at: LateHour.objects.all())
def advance(at: datetime) -> None:
    """One pass of the clock: at most `STEPS` transactions."""
    for _ in range(STEPS):
        if not (roll_next(at) or roll_late(at)):
            return


def until(at: datetime) -> datetime:
    """The first hour that is not rolled up; before the first roll-up, the first hour within the retention."""
    reached = _progress(at)
    return reached.hour if reached else REPORTS.horizon(at)


def _progress(at: datetime) -> RollupMark | None:
    """Progress of the roll-ups, moved forward to the retention; None before the first roll-up."""
    reached, horizon = RollupMark.objects.filter(pk=1).first(), REPORTS.horizon(at)
    return reached if reached is None or reached.hour >= horizon else RollupMark(pk=1, hour=horizon)


def _begin(at: datetime) -> bool:
    """Start with the hour of the oldest report, if there is one. Finding it reads all reports, so it is stored at once.

    Start no later than the last complete hour: reports of it that arrive a moment late are not marked, and a clock may
    be ahead.
    """
    first = Report.objects.aggregate(at=Min("at"))["at"]
    if first is not None:
        RollupMark.objects.get_or_create(pk=1, defaults={"hour": min(hour_of(first), hour_of(at) - HOUR)})
    return first is not None


def roll_next(at: datetime) -> bool:
    """Roll up the next batch of terminals of the hour that is due. Returns whether there was anything to do."""
    reached = _progress(at)
    if reached is None:
        return _begin(at)
    if reached.hour + HOUR + SETTLING > at or _is_writing_for_long():
        return False
    terminals = Terminal.objects.filter(pk__gt=reached.terminal_pk).order_by("pk")
    terminal_pks = list(terminals.values_list("pk", flat=True)[:TERMINALS])
    keys = [(pk, reached.hour) for pk in terminal_pks]
    left_out = set(unrolled.keys(at))
    isolate([key for key in keys if key not in left_out], _roll_keys, aside=unrolled, at=at)
    with transaction.atomic():
        # What could not be rolled up is done later as a late hour, so that it does not hold up the others.
        mark_late(set(unrolled.keys(at)).intersection(keys))
        # A full batch means that further terminals of this hour may follow.
        if len(terminal_pks) == TERMINALS:
            reached.terminal_pk = terminal_pks[-1]
        else:
            reached.hour, reached.terminal_pk = reached.hour + HOUR, 0
        reached.save()
    return True


def roll_late(at: datetime) -> bool:
    """Roll up a batch of late hours again, except hours that are not rolled up yet. Returns whether there was one."""
    reached, horizon = _progress(at), REPORTS.horizon(at)
    if reached is None:
        return False
    marked = LateHour.objects.filter(hour__lt=reached.hour).exclude(pk__in=unrolled.keys(at))
    first = marked.order_by("hour", "terminal_id").first()
    if first is None:
        return False
    of_hour = marked.filter(hour=first.hour).order_by("terminal_id")
    keys = [(pk, first.hour) for pk in of_hour.values_list("terminal_id", flat=True)[:TERMINALS]]
    return bool(isolate(keys, partial(_roll_late, horizon=horizon), aside=unrolled, at=at))


def _roll_late(keys: Sequence[LateKey], *, horizon: datetime) -> int:
    """Roll up late keys of one hour; returns how many. Rows that another transaction is marking wait for the next pass.

    Call it in a transaction.
    """
    hour = keys[0][1]
    marked = LateHour.objects.filter(hour=hour, terminal__in=[pk for pk, _ in keys]).order_by("terminal_id")
    locked = marked.select_for_update(skip_locked=connection.vendor == "postgresql")
    terminal_pks = list(locked.values_list("terminal_id", flat=True))
    LateHour.objects.filter(hour=hour, terminal__in=terminal_pks).delete()
    if hour >= horizon:
        roll(terminal_pks, hour)
    return len(terminal_pks)


def _roll_keys(keys: Sequence[LateKey]) -> int:
    """Roll up keys of one hour."""
    roll([pk for pk, _ in keys], keys[0][1])
    return len(keys)


def roll(terminal_pks: Sequence[int], hour: datetime) -> None:
    """Roll up all reports of these terminals and this hour. Call it in a transaction."""
    if not terminal_pks:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL jit = off")  # JIT compilation would take as long as the rest of the query
            cursor.execute(POSTGRESQL, {"hour": hour, "end": hour + HOUR, "terminals": list(terminal_pks)})
        else:
            instants = {"hour": _text(hour), "end": _text(hour + HOUR)}
            cursor.execute(SQLITE, {**instants, "terminals": msgspec.json.encode(terminal_pks).decode()})


# A reading is a key of a JSON object: the ORM can neither expand nor sum it. Instants and terminals are in the index
# `report_terminal_at`.
COLUMNS = ("count", "total", "lowest", "highest", "last")
UPSERT = f"""
    INSERT INTO {Rollup._meta.db_table} AS old (terminal_id, hour, metric, {", ".join(COLUMNS)})
    SELECT terminal_id, %(hour)s, metric, {", ".join(COLUMNS)} FROM ({{picked}}) AS summed
    WHERE rank <= {METRIC_NAMES}
    ON CONFLICT (terminal_id, hour, metric) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS)}
    WHERE old.count < excluded.count
"""
SUMS = "count(*) AS count, sum(value) AS total, min(value) AS lowest, max(value) AS highest"
RANK = f"""
        row_number() OVER (PARTITION BY terminal_id ORDER BY (
            SELECT count(*) FROM {Rollup._meta.db_table} AS known
            WHERE known.terminal_id = reading.terminal_id AND known.hour = %(hour)s AND known.metric = reading.metric
        ) DESC, count(*) DESC, metric) AS rank"""
POSTGRESQL = UPSERT.format(
    picked=f"""
    SELECT terminal_id, metric, {SUMS},
        (array_agg(value ORDER BY at DESC, boot_id DESC, seq DESC))[1] AS last, {RANK}
    FROM (
        SELECT r.terminal_id, r.at, r.boot_id, r.seq, m.key AS metric, m.value::double precision AS value
        FROM {Report._meta.db_table} AS r, jsonb_each_text(r.metrics) AS m
        WHERE r.terminal_id = ANY (%(terminals)s) AND r.at >= %(hour)s AND r.at < %(end)s
            AND NOT (r.late AND r.undated) AND abs(m.value::double precision) <= {METRIC_BOUND}
    ) AS reading
    GROUP BY terminal_id, metric
"""
)
SQLITE = UPSERT.format(
    picked=f"""
    SELECT terminal_id, metric, {SUMS}, max(CASE WHEN age = 1 THEN value END) AS last, {RANK}
    FROM (
        SELECT r.terminal_id, m.key AS metric, m.value AS value, row_number() OVER (
            PARTITION BY r.terminal_id, m.key ORDER BY r.at DESC, r.boot_id DESC, r.seq DESC
        ) AS age
        FROM {Report._meta.db_table} AS r, json_each(r.metrics) AS m
        WHERE r.terminal_id IN (SELECT value FROM json_each(%(terminals)s)) AND r.at >= %(hour)s AND r.at < %(end)s
            AND NOT (r.late AND r.undated) AND abs(m.value) <= {METRIC_BOUND}
    ) AS reading
    WHERE true GROUP BY terminal_id, metric
"""
)


def _text(at: datetime) -> str:
    """The instant as Django writes it on SQLite, so that it compares as text."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _is_writing_for_long() -> bool:
    """Whether a writing transaction is so old that it may hold reports which it did not mark as late."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_xid IS NOT NULL AND xact_start < now() - make_interval(secs => %s))",
            [LONG_TRANSACTION.total_seconds()],
        )
        return bool(cursor.fetchone()[0])
