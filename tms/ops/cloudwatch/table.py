"""The numbers sent to CloudWatch, and their names: each row is one custom metric, which costs per month.

No dimensions: one name for ten nodes costs as much as for one. `docs/cloudwatch.md` describes each.
"""

from enum import Enum
from typing import NamedTuple

from tms.ops.cloudwatch.measures import Counted, Level, Measure, Observations, Rise, Share, WorstShare


class Unit(Enum):
    """CloudWatch's names."""

    COUNT = "Count"
    SECONDS = "Seconds"
    PERCENT = "Percent"


class SentBy(Enum):
    """Which processes send it."""

    LEADER = "the leading clock"
    NODE = "each node"
    PROCESS = "each process"


class Row(NamedTuple):
    name: str
    unit: Unit
    sent_by: SentBy
    measure: Measure


TABLE = (
    Row("ActiveTerminals", Unit.COUNT, SentBy.LEADER, Level("tms_terminals", {"presence": "online"})),
    Row("SilentTerminals", Unit.COUNT, SentBy.LEADER, Level("tms_terminals", {"presence": "silent"})),
    Row("OfflineTerminals", Unit.COUNT, SentBy.LEADER, Level("tms_terminals", {"presence": "offline"})),
    Row("TotalTerminals", Unit.COUNT, SentBy.LEADER, Level("tms_terminals")),
    Row("UnresolvedAlerts", Unit.COUNT, SentBy.LEADER, Level("tms_alerts_unresolved")),
    Row(
        "CriticalOpenAlerts",
        Unit.COUNT,
        SentBy.LEADER,
        Level("tms_alerts_unresolved", {"severity": "critical", "state": "open"}),
    ),
    Row("NodesRunning", Unit.COUNT, SentBy.LEADER, Level("tms_nodes", {"state": "running"})),
    Row("NodesLost", Unit.COUNT, SentBy.LEADER, Level("tms_nodes", {"state": "lost"})),
    Row("ClockLag", Unit.SECONDS, SentBy.LEADER, Level("tms_clock_lag_seconds")),
    Row(
        "ClockLoopAge",
        Unit.PERCENT,
        SentBy.PROCESS,
        WorstShare("tms_clock_loop_age_seconds", "tms_clock_loop_limit_seconds"),
    ),
    Row("Links", Unit.COUNT, SentBy.NODE, Level("tms_links")),
    Row("ConnectionsUsed", Unit.PERCENT, SentBy.NODE, Share("tms_connections", "tms_connections_limit")),
    Row("IngestPending", Unit.COUNT, SentBy.NODE, Level("tms_ingest_pending")),
    Row("AckSeconds", Unit.SECONDS, SentBy.NODE, Observations("tms_ingest_ack_seconds")),
    Row("FalseOffline", Unit.COUNT, SentBy.PROCESS, Rise("tms_false_offline")),
    Row("SloMeasured", Unit.COUNT, SentBy.PROCESS, Counted("tms_slo_seconds")),
    Row("SloMissed", Unit.COUNT, SentBy.PROCESS, Counted("tms_slo_seconds", {"outcome": "missed"})),
    Row("DeliveryWaiting", Unit.SECONDS, SentBy.LEADER, Level("tms_delivery_oldest_waiting_seconds")),
    Row("DeliveriesGivenUp", Unit.COUNT, SentBy.PROCESS, Rise("tms_deliveries", {"outcome": "dead"})),
    Row("FeedFailures", Unit.COUNT, SentBy.PROCESS, Rise("tms_feed_failures")),
    Row("BreakGlassUsed", Unit.COUNT, SentBy.PROCESS, Rise("tms_break_glass_sign_ins")),
    Row("SignInsThrottled", Unit.COUNT, SentBy.PROCESS, Rise("tms_sign_ins", {"outcome": "throttled"})),
    Row("AuditChainBroken", Unit.COUNT, SentBy.LEADER, Level("tms_audit_chain_broken")),
    Row("BridgeLag", Unit.SECONDS, SentBy.PROCESS, Level("tms_bridge_lag_seconds")),
    Row("BridgeFailures", Unit.COUNT, SentBy.PROCESS, Rise("tms_bridge_failures")),
    Row("LogEventsLost", Unit.COUNT, SentBy.PROCESS, Rise("tms_log_events_lost")),
)
