"""Who can be assigned alerts."""

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.models import AlertQuerySet


def out_of_reach(alerts: AlertQuerySet, *, of: User) -> int:
    """Number of `alerts` that a person may not handle: assigned to them, nobody would work on these."""
    return alerts.count() - permitted(alerts, by=of, permission=Permission.HANDLE_ALERTS).count()
