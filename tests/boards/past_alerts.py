"""Past alerts, described in one line each."""

from datetime import datetime, timedelta
from typing import Any

from tests.support import factories
from tests.support.builders import Fleet
from tms.accounts.models import User
from tms.alerts.models import Alert
from tms.alerts.suppression import at_open


def past(
    fleet: Fleet,
    opened_at: datetime,
    *,
    taken_after_s: float | None = None,
    lasted_s: float | None = None,
    by: User | None = None,
    comment: str = "",
    **fields: Any,
) -> Alert:
    """An alert that opened at a time, was acknowledged later, and lasted for a time."""
    alert = factories.alert(fleet, opened_at=opened_at, **fields)
    if taken_after_s is not None and by is not None:
        factories.acknowledged(alert, by=by, comment=comment, at=opened_at + timedelta(seconds=taken_after_s))
    if lasted_s is not None:
        factories.resolved(alert, at=opened_at + timedelta(seconds=lasted_s))
    at_open.record_suppressed_at_open(opened_at)
    alert.refresh_from_db()
    return alert
