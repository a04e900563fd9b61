"""Correlates alerts of terminals that are lost together into one incident.

Detection and recovery are unchanged; only the notifications of single alerts are replaced by those of the incident.
`correlate` decides which alerts of lost terminals form an incident, `wide` which lost sites do, and `same_rule` which
alerts of one rule; `forming` is for boards only. Only the leading clock correlates. People and the correlation lock the
incident's row while they change it.
"""

from tms.alerts.correlation.actions import (
    acknowledge,
    assign,
    change_acknowledgement,
    claim,
    comment,
    reopen,
    resolve,
    snooze,
    unclaim,
)
from tms.alerts.correlation.correlate import correlate

__all__ = [
    "acknowledge",
    "assign",
    "change_acknowledgement",
    "claim",
    "comment",
    "correlate",
    "reopen",
    "resolve",
    "snooze",
    "unclaim",
]
