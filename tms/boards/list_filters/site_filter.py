"""The filter of the list of sites."""

from dataclasses import dataclass, replace
from typing import Self

from django.db.models import QuerySet
from django.http import QueryDict

from tms.boards.list_filters.filters import text
from tms.boards.list_filters.query_filter import MAX_QUERY_CHARACTERS, QueryFilter
from tms.fleet.models import Site
from tms.fleet.site_query import SITE_FIELDS

CLOSED, WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE = "closed", "incident", "closed-now", "maintenance"
STATES = (WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE, CLOSED)


@dataclass(frozen=True)
class SiteFilter(QueryFilter):
    """Empty fields filter nothing; an unknown value counts as empty."""

    known = SITE_FIELDS

    region: str = ""
    state: str = ""
    """`incident`: sites with an unresolved incident; `closed-now`: outside of their opening hours; `maintenance`: as a
    whole; `closed`: sites that were closed for good.
    """

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        state = query.get("state", "")
        return cls(
            q=text(query, "q", MAX_QUERY_CHARACTERS),
            region=text(query, "region", 100),
            state=state if state in STATES else "",
        )

    def apply(self, sites: QuerySet[Site]) -> QuerySet[Site]:
        """The sites that match, in every state."""
        found = sites.filter(self.condition)
        return found.filter(region=self.region) if self.region else found

    @property
    def is_empty(self) -> bool:
        """Whether it narrows the tab that is shown."""
        return not (self.q or self.region)

    def in_tab(self, state: str = "") -> Self:
        """The same filter in another tab."""
        return replace(self, state=state)
