"""The incidents of a bulk action."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.http import QueryDict

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.alerts.actions.action import OperatorAction, Target, perform
from tms.alerts.lifecycle import Conflict
from tms.alerts.models import Incident
from tms.boards.lists.filters import PRIMARY_KEY
from tms.boards.rows.incidents import MAX_ROWS

MOST = 2 * MAX_ROWS
"""As many as one page lists."""


@dataclass(frozen=True, slots=True)
class IncidentSelection:
    pks: tuple[int, ...]

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        chosen = (int(pk) for pk in query.getlist("incident")[:MOST] if PRIMARY_KEY.fullmatch(pk))
        return cls(tuple(sorted(set(chosen))))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As hidden fields of a form."""
        return [("incident", str(pk)) for pk in self.pks]

    def incidents(self, action: OperatorAction, target: Target, *, by: User) -> list[Incident]:
        """Those to which the action applies, and for which the person has the permission."""
        shown = visible(Incident.objects.filter(pk__in=self.pks), to=by)
        held: Any = permitted(shown, by=by, permission=action.permission)
        applicable: Any = target.when.filter(held)
        return list(applicable.select_related("site", "group").order_by("pk"))


@transaction.atomic
def perform_all(
    target: Target, incidents: Iterable[Incident], *, by: User, at: datetime, **terms: Any
) -> list[Incident]:
    """Perform the action on each; returns those that changed. A conflict leaves its incident as it is."""
    changed: list[Incident] = []
    for incident in incidents:
        try:
            perform(target, Incident.objects.filter(pk=incident.pk), by=by, at=at, **terms)
        except Conflict:
            continue
        changed.append(incident)
    return changed
