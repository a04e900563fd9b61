"""The metrics that TMS counts, declared once; `tms.ops.collectors.fleet` has those that are read when asked.

No label names a terminal (R20). `docs/metrics.md` describes each.
"""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.registry import Collector

# A timestamp beside each counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The link

LINKS = Gauge("tms_links", "Terminals' links open on this node")
HANDSHAKES = Counter("tms_handshakes", "Handshakes of terminals by outcome", ["outcome"])
HANDSHAKE_SECONDS = Histogram("tms_handshake_seconds", "From the upgrade request to the decision", buckets=BUCKETS)
BOOTS = Counter("tms_boots", "Boots of terminals that were committed")
FRAMES_RECEIVED = Counter("tms_frames_received", "Frames from terminals by method", ["method"])
FRAMES_REFUSED = Counter("tms_frames_refused", "Frames from terminals that were refused, by error type", ["type"])
LINKS_CLOSED = Counter("tms_links_closed", "Terminals' links that ended, by close code or cause", ["cause"])
TAKEOVERS = Counter("tms_takeovers", "Links that a newer session of the same terminal replaced")

# Limits of one client

CROWDING = Gauge("tms_crowding", "Share of its limit that the busiest address or person has taken on this node", ["by"])
CROWDING_REFUSALS = Counter("tms_crowding_refusals", "Sockets refused because one client has too many", ["by"])

# People

SIGN_INS = Counter("tms_sign_ins", "Passwords by outcome: accepted, wrong, throttled, busy, flooded", ["outcome"])

# Ingest

INGEST_PENDING = Gauge("tms_ingest_pending", "Items received and not yet committed on this node")
INGEST_REPORTS = Counter("tms_ingest_reports", "Reports by outcome: committed, duplicate, fenced, poison", ["outcome"])
INGEST_FLUSHES = Counter("tms_ingest_flushes", "Transactions of the batch by outcome", ["outcome"])
INGEST_FLUSH_SECONDS = Histogram("tms_ingest_flush_seconds", "One transaction of the batch", buckets=BUCKETS)
INGEST_ACK_SECONDS = Histogram(
    "tms_ingest_ack_seconds", "From a report's arrival to its acknowledgement", buckets=BUCKETS
)

# Presence, alerts, commands

PRESENCE_CHANGES = Counter("tms_presence_changes", "Changes of presence, by the new presence", ["presence"])
OUTAGES = Counter("tms_outages", "Outages of terminals that are over, by cause", ["cause"])
FALSE_OFFLINE = Counter("tms_false_offline", "Terminals called offline whose outage proved to be TMS's own fault")
ALERT_TRANSITIONS = Counter("tms_alert_transitions", "Alert transitions by kind and severity", ["kind", "severity"])
INCIDENT_TRANSITIONS = Counter("tms_incident_transitions", "Steps of incidents by kind and factor", ["kind", "factor"])
COMMANDS = Counter("tms_commands", "Commands by the state they reached", ["state"])

# Notifications

DELIVERIES = Counter(
    "tms_deliveries", "Attempts to hand a notification over, and what became of it", ["kind", "outcome"]
)
NOTIFICATION_SECONDS = Histogram(
    "tms_notification_seconds",
    "From a transition of an alert to the hand-over of the notification that tells it",
    buckets=(*BUCKETS, 30, 60, 120, 300),
)

# The published objective

OBJECTIVE_SECONDS = Histogram(
    "tms_objective_seconds",
    "Stages from a terminal's last frame to an acknowledgement seen elsewhere, and whether each kept its promise",
    ["stage", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 75, 90, 120, 180, 300, 600),
)

# Feed and boards

FEED_MESSAGES = Counter("tms_feed_messages", "Feed messages of this node, sent and heard", ["direction"])
FEED_FAILURES = Counter("tms_feed_failures", "Attempts to send to or listen on the feed that failed")
FEED_GAPS = Counter("tms_feed_gaps", "Gaps in a publisher's numbers; each makes the boards read again")
FEED_LAG = Histogram("tms_feed_lag_seconds", "From a message's sending to its hearing", buckets=BUCKETS)
BOARDS = Gauge("tms_boards", "Boards open on this node")
BOARD_FRAMES = Counter("tms_board_frames", "Frames pushed to boards by kind", ["kind"])
BOARD_COALESCED = Counter("tms_board_coalesced", "Changes to boards that a newer state replaced before they were sent")
BOARD_RENDER_SECONDS = Histogram("tms_board_render_seconds", "Reading and rendering one frame", buckets=BUCKETS)
BOARD_DIVERGED = Counter("tms_board_diverged", "Proofs in which a board differed from the database")

# API

API_REQUESTS = Counter("tms_api_requests", "Requests to the API", ["route", "method", "status"])
API_SECONDS = Histogram("tms_api_seconds", "Answering one request to the API", ["route", "method"], buckets=BUCKETS)

# Clock

CLOCK_LAG = Gauge("tms_clock_lag_seconds", "How late the clock's last sweep was")
CLOCK_FAILURES = Counter(
    "tms_clock_failures", "Passes of a clock loop that failed, and rows that failed alone", ["loop"]
)
CLOCK_SET_ASIDE = Gauge("tms_clock_set_aside", "Rows that a loop leaves out for a while because they failed", ["loop"])
CLOCK_LOOP_AGE = Gauge(
    "tms_clock_loop_age_seconds", "Age of the last success of a loop that this process leads", ["loop"]
)
CLOCK_LOOP_LIMIT = Gauge("tms_clock_loop_limit_seconds", "Age at which that loop counts as stalled", ["loop"])
PARTITION_FAILURES = Counter("tms_partition_failures", "Partitions that could not be made or dropped in time", ["step"])
CLOCK_LEADS = Gauge("tms_clock_leads", "1 while this process's clock leads")

# The process

PYTHON_BLOCKS = Gauge("tms_python_blocks", "Blocks of memory that Python's objects take in this process")

# To CloudWatch

BRIDGE_SENT = Counter("tms_bridge_sent", "Numbers that CloudWatch took from this process")
BRIDGE_LOST = Counter("tms_bridge_lost", "Numbers that CloudWatch will never get: overflow, old, refused", ["cause"])
BRIDGE_FAILURES = Counter("tms_bridge_failures", "Attempts to measure for or to reach CloudWatch that failed")
BRIDGE_LAG = Gauge("tms_bridge_lag_seconds", "Age of the oldest number that CloudWatch has not taken yet")
LOG_EVENTS_LOST = Counter("tms_log_events_lost", "Log events that CloudWatch Logs did not get")

COLLECTORS: list[Callable[[], Collector]] = []
"""Of the whole, read from the database when it is asked for; an app adds its own when it is ready."""
