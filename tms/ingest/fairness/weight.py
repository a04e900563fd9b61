"""Weight: the work and memory that reports take, in units of one plain report. Every limit of a link and of a flush
counts it.

Nobody is limited by the number of their reports alone: one may carry a hundred events, each of which becomes a row.
"""

from msgspec import UNSET

from tms.protocol import frames, limits

ORDINARY = 16
"""The most that waits for a terminal which sends only what happens now, as three reports with 64 metrics each."""


def weight_of(report: frames.ReportFrame) -> int:
    metrics = 0 if report.metrics is UNSET else len(report.metrics)
    # A boot has to be found or created, and whether the report is stored already is searched in every partition.
    names_boot = report.boot_id is not UNSET
    return 1 + names_boot + len(report.events) + metrics // limits.METRICS_PER_WEIGHT
