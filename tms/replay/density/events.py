"""The nearest instants at which something happened."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import Alert, Incident

EVENTS: tuple[tuple[type[Model], str], ...] = (
    (Alert, "opened_at"),
    (Alert, "resolved_at"),
    (Incident, "opened_at"),
    (Incident, "resolved_at"),
)


def event_before(at: datetime, since: datetime, scope: Scope) -> datetime | None:
    """The newest instant before `at`, and not before `since`, at which an alert or incident opened or was resolved."""
    found = (rows.order_by(f"-{column}").first() for rows, column in _events(scope, "__lt", at, "__gte", since))
    return max(filter(None, found), default=None)


def event_after(at: datetime, until: datetime, scope: Scope) -> datetime | None:
    """The first instant after `at`, up to `until`, at which an alert or incident opened or was resolved."""
    found = (rows.order_by(column).first() for rows, column in _events(scope, "__gt", at, "__lte", until))
    return min(filter(None, found), default=None)


def _events(
    scope: Scope, near: str, at: datetime, far: str, limit: datetime
) -> Iterator[tuple[QuerySet[Any, datetime], str]]:
    for model, column in EVENTS:
        rows = model._default_manager.filter(**{f"{column}{near}": at, f"{column}{far}": limit})
        yield within(rows, scope).values_list(column, flat=True), column
