"""Limits of TMS that hold for every terminal. Those that TMS may change are in its answer to the boot."""

FRAME_BYTES = 64 * 1024
FRAMES_PER_MINUTE = 100
FRAMES_BURST = 50
REPORTS_PER_BATCH = 200
"""Defaults, if the answer to the boot names none."""

METRICS_PER_REPORT = 64
METRIC_BOUND = 1e15
"""Absolute limit of a metric."""
CONFIG_BYTES = 40_000
"""The values of a configuration, as JSON."""
SOFTWARE = 32
"""Names of software in a boot."""
EVENTS_PER_REPORT = 100
RESERVED_CODES = "tms."
"""Prefix of the codes of events that only TMS itself may raise."""
TEXT_LENGTH = 500
NAME_LENGTH = 64
SEQ_MAX = 2**53 - 1
"""The largest integer that every JSON implementation represents exactly."""
DEPTH = 16
"""Nesting of JSON arrays and objects in one frame."""
