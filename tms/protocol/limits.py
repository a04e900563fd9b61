"""Limits for what one terminal may send. The server enforces them; the boot answer contains them."""

FRAME_BYTES = 64 * 1024
"""A larger WebSocket message closes the link with 4413."""

DEPTH = 16
"""Nesting of JSON arrays and objects in one frame."""

EXTREME_NUMBERS = 256
"""Numbers with an exponent of three digits in one frame: parsing one takes a hundred times as long as any other."""

BOOT_DEADLINE_S = 10.0
"""A link that has not booted by then is closed with 4408."""

FRAMES_PER_MINUTE = 100
FRAMES_BURST = 50
"""Token bucket for live frames; late reports (backfill) are paced by the acknowledgements instead."""

METRICS_PER_WEIGHT = 16
"""A report weighs 1, and 1 more for each event, for so many metrics and if it names a boot."""
BOOT_WEIGHT = 20
"""Added to the backfill by a report that names another boot than the one before it."""
BACKFILL_BURST = 250_000
BACKFILL_PER_HOUR = 100_000
"""Weight of late reports that a terminal may send at once, and in the long run. Beyond it, its link is read more
slowly. A full spool of the agent weighs less than the burst.
"""

BAD_FRAMES_PER_MINUTE = 20
"""This many bad frames within a minute close the link with 4400."""

METRICS_PER_REPORT = 64
METRIC_NAMES = 192
"""Different metric names of one terminal: in its state, over one link, and in one hour of its history."""
METRIC_BOUND = 1e15
"""Absolute limit of a metric: integers are exact up to it, and no sum of them overflows."""
CLOCK_TOLERANCE_S = 300
"""Reports dated later than this after their arrival are stored with the time of arrival, and marked."""
RESERVED_CODES = "tms."
"""Prefix of the codes of events that TMS itself raises."""
CONFIG_BYTES = 40_000
"""The values of a configuration as JSON: they fit into one frame."""
SOFTWARE = 32
"""Names of software in a boot."""
EVENTS_PER_REPORT = 100
REPORTS_PER_BATCH = 200
TEXT_LENGTH = 500
NAME_LENGTH = 64
SEQ_MAX = 2**53 - 1
"""The largest integer that every JSON implementation represents exactly."""
