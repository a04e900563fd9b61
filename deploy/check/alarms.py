"""Every alarm, without the name before it. A test compares this with deploy/terraform and with docs/runbook.md."""

ALARMS = (
    "high-cpu-usage",
    "low-db-storage",
    "no-healthy-host",
    "server-errors",
    "slow-responses",
    "high-memory-usage",
    "high-db-cpu",
    "many-db-connections",
    "redis-memory",
    "redis-evictions",
    "silent-terminals",
    "bridge-silent",
    "backup-missing",
    "clock-lag",
    "nodes-lost",
    "false-offline",
    "detection-late",
    "slo-missed",
    "notifications-given-up",
    "notifications-waiting",
    "certificate-expires",
    "clock-loop-stalled",
    "reports-waiting",
    "terminals-blocked",
    "connections-full",
    "feed-failing",
    "logs-lost",
    "too-few-running",
)

SUMMARY = "down"
"""The composite alarm, which rings when some of the others do."""

NOT_ALLOWED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""How the services of AWS say that who asks may not know. It says nothing about what was asked."""

UNRELATED = frozenset({"backup-missing", "certificate-expires", "low-db-storage", "slo-missed"})
"""Alarms that begin to ring by the hour of the day, or by what happened long before, and not by a deployment."""
