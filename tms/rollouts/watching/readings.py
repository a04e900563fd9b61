"""How readings of terminals changed within three hours, from the roll-ups of hours."""

from collections.abc import Collection
from datetime import datetime, timedelta

from tms.lib.db.rows import keys_of
from tms.rollouts.effects.strata import WINDOW_HOURS
from tms.telemetry.models import Rollup
from tms.telemetry.rollups.hourly import SETTLING, hour_of

METRICS = {"memory": "memory_pct", "temperature": "temperature_c", "response_time": "response_ms"}
WINDOW = timedelta(hours=WINDOW_HOURS)
HOUR = timedelta(hours=1)
ROLLED_UP = SETTLING + timedelta(minutes=10)


def window_before(until: datetime, length: timedelta) -> datetime | None:
    """The last hour of the window whose roll-ups are complete within this time before `until`; None if none is."""
    last = hour_of(until - ROLLED_UP) - HOUR
    before = hour_of(until - length - ROLLED_UP) - HOUR
    return last if last != before and last.hour % WINDOW_HOURS == WINDOW_HOURS - 1 else None


def read_changes(terminals: Collection[int], last: datetime) -> dict[str, dict[int, float]]:
    """The change of each measure and terminal from the hour before the window to its last (index: the primary key)."""
    first, names = last - WINDOW, {metric: measure for measure, metric in METRICS.items()}
    rows = Rollup.objects.filter(terminal__in=keys_of(terminals), hour__in=(first, last), metric__in=names)
    means: dict[tuple[str, int], dict[datetime, float]] = {}
    for terminal, hour, metric, total, count in rows.values_list("terminal_id", "hour", "metric", "total", "count"):
        means.setdefault((names[metric], terminal), {})[hour] = total / count
    changes: dict[str, dict[int, float]] = {}
    for (measure, terminal), by_hour in means.items():
        if len(by_hour) == 2:
            changes.setdefault(measure, {})[terminal] = by_hour[last] - by_hour[first]
    return changes
