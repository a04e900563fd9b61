"""The rows of a report as a table, for CSV."""

from collections.abc import Iterator, Sequence

from tms.availability.losses import LOSS_COLUMNS, LossReason
from tms.availability.report.figures import GroupBy
from tms.availability.report.months import Month
from tms.availability.report.report import AvailabilityRow

HEAD = ("month", "by", "code", "name", "counted_s", "excluded_s", *LOSS_COLUMNS, "lost_s", "percent", "target_percent")

type Cell = str | int | float | None


def lines(month: Month, by: GroupBy, rows: Sequence[AvailabilityRow]) -> Iterator[Sequence[Cell]]:
    for row in rows:
        found = row.totals
        percent = found.percent
        yield (
            *(str(month), by.value, row.code, str(row.name), found.counted_s, found.excluded_s),
            *(found.lost.get(loss, 0) for loss in LossReason),
            *(found.lost_s, None if percent is None else round(percent, 6), row.target),
        )
