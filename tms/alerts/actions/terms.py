"""The terms of operator actions: what a person enters in the dialog, or sends by REST."""

from datetime import datetime
from typing import TypedDict

from tms.accounts.models import User
from tms.alerts.models import Contract


class ActionTerms(TypedDict, total=False):
    """The keyword arguments of a service. Which of them an action has is decided by its form and its REST body."""

    comment: str
    contract: Contract
    until: datetime | None
    to: User
