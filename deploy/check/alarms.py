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
    "objective-missed",
    "certificate-expires",
)
