"""The metrics that TMS counts, declared once; `tms.ops.collectors.fleet` has those that are read on each scrape.

No label names a terminal (R20). `docs/metrics.md` describes each.
"""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.registry import Collector

# Omit the timestamp beside each counter, which nothing reads.
disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# The link

LINKS = Gauge("tms_links", "Booted terminal links on this node")
HANDSHAKES = Counter("tms_handshakes", "Handshakes of terminals by outcome", ["outcome"])
HANDSHAKE_SECONDS = Histogram("tms_handshake_seconds", "From the upgrade request to the decision", buckets=BUCKETS)
BOOTS = Counter("tms_boots", "Committed boots of terminals")
FRAMES_RECEIVED = Counter("tms_frames_received", "Frames from terminals by method", ["method"])
FRAMES_REFUSED = Counter("tms_frames_refused", "Refused frames of terminals, by error type", ["type"])
LINKS_CLOSED = Counter("tms_links_closed", "Terminal links that ended, by close code or cause", ["cause"])
TAKEOVERS = Counter("tms_takeovers", "Links replaced by a newer session of the same terminal")

# Limits per client

LIMIT_USAGE = Gauge(
    "tms_connection_limit_usage", "Share of its limit that the busiest address or person uses on this node", ["by"]
)
LIMIT_REFUSALS = Counter("tms_connection_limit_refusals", "Sockets refused because one client has too many", ["by"])

# People

SIGN_INS = Counter("tms_sign_ins", "Passwords by outcome: accepted, rejected, throttled, busy, flooded", ["outcome"])
# There from the start, so that CloudWatch gets a zero, and its alarm has data before the first flood.
SIGN_INS.labels("throttled")

BREAK_GLASS = Counter("tms_break_glass_sign_ins", "Sign-ins of break-glass accounts")
PASSWORD_RESETS = Counter(
    "tms_password_resets", "Password resets by outcome: asked, throttled, sent, done", ["outcome"]
)
PROVIDER_SIGN_INS = Counter(
    "tms_provider_sign_ins", "Sign-ins at an identity provider by outcome: accepted, refused, failed", ["outcome"]
)
PROVIDER_LOGOUTS = Counter(
    "tms_provider_logouts", "Logout tokens of identity providers by outcome: accepted, refused", ["outcome"]
)
SIGN_IN_PASSKEYS = Counter(
    "tms_sign_in_passkeys", "Sign-ins with a passkey by outcome: accepted, rejected", ["outcome"]
)
SIGN_IN_CODES = Counter(
    "tms_sign_in_codes", "Codes of second factors by outcome: accepted, rejected, throttled", ["outcome"]
)

WALL_PAIRINGS = Counter(
    "tms_wall_pairings", "Pairing codes of wall screens by outcome: shown, paired, wrong, limited", ["outcome"]
)
WALL_SCREENS = Gauge("tms_wall_screens", "Paired wall screens with an open board on this node")

# Ingest

INGEST_PENDING = Gauge("tms_ingest_pending", "Items received and not yet committed on this node")
INGEST_REPORTS = Counter("tms_ingest_reports", "Reports by outcome: committed, duplicate, fenced, poison", ["outcome"])
INGEST_FLUSHES = Counter("tms_ingest_flushes", "Transactions of the batch by outcome", ["outcome"])
INGEST_FLUSH_SECONDS = Histogram("tms_ingest_flush_seconds", "Duration of one batch transaction", buckets=BUCKETS)
INGEST_ACK_SECONDS = Histogram(
    "tms_ingest_ack_seconds", "From the arrival of a report to its acknowledgement", buckets=BUCKETS
)

# Presence, alerts, commands

PRESENCE_CHANGES = Counter("tms_presence_changes", "Presence changes, by the new presence", ["presence"])
OUTAGES = Counter("tms_outages", "Ended outages of terminals, by cause", ["cause"])
FALSE_OFFLINE = Counter("tms_false_offline", "Terminals shown as offline although the outage was the fault of TMS")
ALERT_TRANSITIONS = Counter("tms_alert_transitions", "Alert transitions by kind, severity", ["kind", "severity"])
INCIDENT_TRANSITIONS = Counter("tms_incident_transitions", "Incident transitions by kind, factor", ["kind", "factor"])
COMMANDS = Counter("tms_commands", "Commands by the state they reached", ["state"])

# Notifications

DELIVERIES = Counter(
    "tms_deliveries", "Attempts to send a notification, by kind of destination and outcome", ["kind", "outcome"]
)
ACTION_LINKS = Counter(
    "tms_action_links",
    "Uses of the links in messages by outcome: acknowledged, used, taken, resolved, expired, revoked, invalid, limited",
    ["outcome"],
)
NOTIFICATION_SECONDS = Histogram(
    "tms_notification_seconds",
    "From an alert's transition until a destination accepted the notification",
    buckets=(*BUCKETS, 30, 60, 120, 300),
)

# Service level

SLO_SECONDS = Histogram(
    "tms_slo_seconds",
    "Indicators from a terminal's last frame to an acknowledgement seen elsewhere, and whether each met its target",
    ["indicator", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 75, 90, 120, 180, 300, 600),
)

# Feed and boards

FEED_MESSAGES = Counter("tms_feed_messages", "Feed messages sent and received by this node", ["direction"])
FEED_FAILURES = Counter("tms_feed_failures", "Failed attempts to publish to the feed or to subscribe to it")
FEED_GAPS = Counter("tms_feed_gaps", "Gaps in the sequence of a publisher; the boards read the database after each")
FEED_LAG = Histogram("tms_feed_lag_seconds", "From publishing a feed message to receiving it", buckets=BUCKETS)
BOARDS = Gauge("tms_boards", "Boards open on this node")
BOARD_FRAMES = Counter("tms_board_frames", "Frames pushed to boards by kind", ["kind"])
BOARD_COALESCED = Counter("tms_board_coalesced", "Changes to boards that a newer state replaced before they were sent")
BOARD_RENDER_SECONDS = Histogram("tms_board_render_seconds", "Reading and rendering one frame", buckets=BUCKETS)
BOARD_DIVERGED = Counter("tms_board_diverged", "Verifications in which a board differed from the database")

# API

API_REQUESTS = Counter("tms_api_requests", "Requests to the API", ["route", "method", "status"])
API_SECONDS = Histogram("tms_api_seconds", "Duration of one request to the API", ["route", "method"], buckets=BUCKETS)

# Clock

CLOCK_LAG = Gauge("tms_clock_lag_seconds", "How late the last pass of the prompt lane was")
CLOCK_FAILURES = Counter("tms_clock_failures", "Failed passes of a clock loop, and rows that failed alone", ["loop"])
CLOCK_SET_ASIDE = Gauge("tms_clock_set_aside", "Rows that a loop skips for a while because they failed", ["loop"])
CLOCK_LOOP_AGE = Gauge(
    "tms_clock_loop_age_seconds", "Age of the last success of a loop that this process leads", ["loop"]
)
CLOCK_LOOP_LIMIT = Gauge("tms_clock_loop_limit_seconds", "Age at which that loop counts as stalled", ["loop"])
PARTITION_FAILURES = Counter("tms_partition_failures", "Partitions that were not created or dropped in time", ["step"])
CLOCK_LEADS = Gauge("tms_clock_leads", "1 while the clock of this process leads")

# The process

PYTHON_BLOCKS = Gauge("tms_python_blocks", "Memory blocks that Python objects use in this process")

# To CloudWatch

BRIDGE_SENT = Counter("tms_bridge_sent", "Data points that CloudWatch accepted from this process")
BRIDGE_LOST = Counter("tms_bridge_lost", "Data points that CloudWatch never gets: overflow, old, refused", ["cause"])
BRIDGE_FAILURES = Counter("tms_bridge_failures", "Failed attempts to measure for CloudWatch or to reach it")
BRIDGE_LAG = Gauge("tms_bridge_lag_seconds", "Age of the oldest data point that CloudWatch has not accepted yet")
LOG_EVENTS_LOST = Counter("tms_log_events_lost", "Log events that CloudWatch Logs did not get")

COLLECTORS: list[Callable[[], Collector]] = []
"""Metrics of the whole fleet, read from the database on each scrape; an app adds its own when it is ready."""
