"""The value of an alert in words: how far beyond the threshold it was when the alert opened."""

from tms.alerts.rule_kinds import RULE_KINDS
from tms.boards.rows.alerts import AlertRow


def overrun(alert: AlertRow) -> str:
    """Empty for a rule without thresholds."""
    if alert.value is None or alert.limit is None:
        return ""
    return RULE_KINDS[alert.rule_kind].describe_value(alert)
