"""The incidents of a bulk action."""

from dataclasses import dataclass
from typing import Self

from django.http import QueryDict

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.alerts.actions.action import IncidentTarget, OperatorAction
from tms.alerts.models import Incident
from tms.boards.list_filters.filters import PRIMARY_KEY
from tms.boards.rows.incidents import MAX_ROWS

MAX_INCIDENTS = 2 * MAX_ROWS
"""The number of incidents at most: as many as one page lists."""


@dataclass(frozen=True, slots=True)
class IncidentSelection:
    pks: tuple[int, ...]
    name: str = "incident"
    """The name of the field. In the list of alerts it is another one than that of the filter by incident."""

    @classmethod
    def of(cls, query: QueryDict, name: str = "incident") -> Self:
        chosen = (int(pk) for pk in query.getlist(name)[:MAX_INCIDENTS] if PRIMARY_KEY.fullmatch(pk))
        return cls(tuple(sorted(set(chosen))), name)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The selection as hidden fields of a form."""
        return [(self.name, str(pk)) for pk in self.pks]

    def incidents(self, action: OperatorAction, target: IncidentTarget, *, by: User) -> list[Incident]:
        """The incidents to which the action applies, and for which the person has the permission."""
        shown = visible(Incident.objects.filter(pk__in=self.pks), to=by)
        held = permitted(shown, by=by, permission=action.permission)
        return list(target.when.filter(held).select_related("site", "group", "rule").order_by("pk"))
