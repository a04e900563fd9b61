"""The terms of operator actions: what a person enters in the dialog, or sends by REST."""

from datetime import datetime
from typing import TypedDict

from tms.accounts.access import permitted
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.models import AlertQuerySet, Contract


class ActionTerms(TypedDict, total=False):
    """The keyword arguments of a service. Which of them an action has is decided by its form and its REST body."""

    comment: str
    contract: Contract
    until: datetime | None
    to: User


def out_of_reach(alerts: AlertQuerySet, *, of: User) -> int:
    """Number of `alerts` that a person may not handle: assigned to them, nobody would work on these."""
    return alerts.count() - permitted(alerts, by=of, permission=Permission.HANDLE_ALERTS).count()
