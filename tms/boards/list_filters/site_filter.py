"""The filter of the list of sites."""

from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from tms.boards.list_filters.filters import MAX_SEARCH_CHARACTERS, text
from tms.fleet.models import Site
from tms.fleet.search import sites_like

CLOSED, WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE = "closed", "incident", "closed-now", "maintenance"
STATES = (WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE, CLOSED)


@dataclass(frozen=True, slots=True)
class SiteFilter:
    """Empty fields filter nothing; an unknown value counts as empty."""

    q: str = ""
    region: str = ""
    state: str = ""
    """`incident`: sites with an unresolved incident; `closed-now`: outside of their opening hours; `maintenance`: as a
    whole; `closed`: sites that were closed for good.
    """

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        state = query.get("state", "")
        return cls(
            q=text(query, "q", MAX_SEARCH_CHARACTERS),
            region=text(query, "region", 100),
            state=state if state in STATES else "",
        )

    def apply(self, sites: QuerySet[Site]) -> QuerySet[Site]:
        """The sites that match, in every state."""
        if self.region:
            sites = sites.filter(region=self.region)
        return sites.filter(sites_like(self.q) | Q(address__icontains=self.q)) if self.q else sites

    @property
    def query(self) -> str:
        """The filter as a query string; equal filters have equal strings."""
        chosen = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return urlencode([(name, value) for name, value in chosen if value])

    @property
    def is_empty(self) -> bool:
        """Whether it narrows the tab that is shown."""
        return not (self.q or self.region)

    def in_tab(self, state: str = "") -> Self:
        """The same filter in another tab."""
        return replace(self, state=state)
