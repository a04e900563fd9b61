"""The inputs of the model. Each names its source: a measured figure, a setting, or an assumption."""

from typing import Self


class Input(float):
    """A number with its unit and its source."""

    label: str
    unit: str
    source: str

    def __new__(cls, value: float, label: str, unit: str, source: str) -> Self:
        self = super().__new__(cls, value)
        self.label, self.unit, self.source = label, unit, source
        return self


# What terminals and people do.
REPORT_EVERY_S = Input(30, "interval of reports", "s", "P9; `TMS_HEARTBEAT_S`")
READINGS = Input(6, "readings in a report", "", "operating.md, History")
CHANGES_A_DAY = Input(10, "changes of presence, status or alerts per terminal", "a day", "assumption")
LEAST_BOARDS = Input(20, "open boards, at least", "", "P9")
TERMINALS_PER_BOARD = Input(10_000, "terminals per open board, in a large fleet", "", "assumption")

# How today's stack is set.
MACHINE_TERMINALS = Input(10_000, "terminals per machine", "", "deploy/terraform, `scale.terminals`")
MACHINE_NODES = Input(2, "nodes per machine", "", "deploy/terraform, `machine.nodes`")
SPARE_MACHINES = Input(1, "machines that may fail", "", "deploying.md, Sizing")
POOL = Input(10, "database connections of a process, at most", "", "`TMS_DATABASE_POOL`")
LEASE_S = Input(45, "lease", "s", "`TMS_HEARTBEAT_S` + `TMS_LEASE_GRACE_S`")
GRACE_S = Input(90, "reconnect grace", "s", "`TMS_RECONNECT_GRACE_S`")
READINGS_DAYS = Input(14, "days that reports are kept", "", "`TMS_READINGS_DAYS`")
ROLLUPS_DAYS = Input(400, "days that roll-ups are kept", "", "`TMS_ROLLUPS_DAYS`")
FEED_MESSAGES = Input(5, "messages with readings that a node publishes, at most", "per s", "tms/feed, `READINGS_S`")
VERIFY_EVERY_S = Input(10, "interval of the verification of boards", "s", "`TMS_PROOF_INTERVAL_S`")
PASSES = Input(2, "render passes of a node whose terminals report all the time", "per s", "`TMS_FRAME_INTERVAL_S`")

# What history costs.
REPORT_BYTES = Input(52e9 / 144e6, "a stored report, with its indexes", "bytes", "operating.md, History")
ROLLUP_BYTES = Input(1e9 / 7.2e6, "a stored roll-up, with its indexes", "bytes", "operating.md, History")
ROLLUP_CORE_S = Input(10e-6, "PostgreSQL, to roll up one report", "core s", "operating.md, History")
ROLLUP_LANE_S = Input(60 / 50_000, "slow lane of the clock, per terminal and hour", "s", "operating.md, History")
READING_BYTES = Input(6, "a reading in a column store, compressed", "bytes", "assumption")
WIRE_BYTES = Input(300, "a report and its acknowledgement on the wire, with TLS", "bytes", "assumption")

STATED = tuple(value for value in tuple(globals().values()) if isinstance(value, Input))
