"""What an alert says of its value: how far out it was when it opened, and what the threshold is."""

from tms.alerts.rule_kinds import RULE_KINDS
from tms.boards.rows.alerts import AlertRow


def overrun(alert: AlertRow) -> str:
    """Empty for a rule without thresholds."""
    if alert.value is None or alert.limit is None:
        return ""
    return RULE_KINDS[alert.rule_kind].describe_value(alert)
