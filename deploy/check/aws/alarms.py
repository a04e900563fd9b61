"""Every alarm, without the name prefix. A test compares this with deploy/terraform and with docs/runbook.md."""

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
    "break-glass-used",
    "audit-chain-broken",
    "fewer-than-two",
    "disk-full",
    "nat-failing",
    "people-blocked",
    "sign-in-flood",
    "mail-rejected",
    "low-db-memory",
    "slow-db-storage",
    "redis-cpu",
    "snapshot-missing",
    "snapshot-failed",
)

SUMMARY = "down"
"""The composite alarm, which fires if some of the others do."""

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
"""Error codes with which AWS reports a missing permission."""

UNRELATED = frozenset(
    {
        "audit-chain-broken",
        "backup-missing",
        "break-glass-used",
        "certificate-expires",
        "low-db-storage",
        "mail-rejected",
        "nat-failing",
        "people-blocked",
        "sign-in-flood",
        "slo-missed",
        "snapshot-failed",
        "snapshot-missing",
    }
)
"""Alarms that a deployment cannot cause: they depend on the hour of the day, or on what happened long before."""
