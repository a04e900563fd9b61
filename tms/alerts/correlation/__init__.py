"""Alerts of terminals that are lost together fold into one incident. Detection and recovery go on as before: all that
an incident takes from its alerts is that they are told of one by one.

Only the leading clock folds; people and the fold hold the lock of the incident's row while they change it.
"""

from tms.alerts.correlation.actions import acknowledge, change_acknowledgement, claim, comment, reopen, unclaim
from tms.alerts.correlation.correlate import correlate

__all__ = ["acknowledge", "change_acknowledgement", "claim", "comment", "correlate", "reopen", "unclaim"]
