"""Rows of the table of reports, made from what terminals sent."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET

from tms.ingest.items import Reported
from tms.protocol import limits

CLOCK_TOLERANCE = timedelta(seconds=limits.CLOCK_TOLERANCE_S)


class ReportRow(msgspec.Struct, frozen=True, gc=False):
    boot_id: int
    seq: int
    terminal_id: int
    at: datetime
    received_at: datetime
    late: bool
    undated: bool
    status: str
    metrics: msgspec.Raw


def report_row[Row: ReportRow](kind: type[Row], item: Reported, boot_pk: int, **more: object) -> Row:
    """`more`: further values of this kind of row."""
    report = item.report
    at = believable(report.at, item.at)
    return kind(
        boot_id=boot_pk,
        seq=report.seq,
        terminal_id=item.link.identity.terminal_id,
        at=at.astimezone(UTC),
        received_at=item.at,
        late=report.late or report.boot_id is not UNSET,
        undated=at is not report.at,
        status="" if report.status is UNSET else report.status,
        metrics=msgspec.Raw(b"{}" if report.metrics is UNSET else msgspec.json.encode(report.metrics)),
        **more,
    )


def believable(at: datetime | None, arrived_at: datetime) -> datetime:
    """The time of arrival if the terminal knows no time, or one in the future."""
    return arrived_at if at is None or at > arrived_at + CLOCK_TOLERANCE else at
