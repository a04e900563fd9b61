"""The filter of the list of sites."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Self
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from tms.boards.list_filters.filters import MAX_QUERY_CHARACTERS, text
from tms.fleet.models import Site
from tms.fleet.site_query import SITE_FIELDS
from tms.query.errors import QueryError
from tms.query.query import Query

CLOSED, WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE = "closed", "incident", "closed-now", "maintenance"
STATES = (WITH_INCIDENT, CLOSED_NOW, IN_MAINTENANCE, CLOSED)


@dataclass(frozen=True)
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
            q=text(query, "q", MAX_QUERY_CHARACTERS),
            region=text(query, "region", 100),
            state=state if state in STATES else "",
        )

    def apply(self, sites: QuerySet[Site]) -> QuerySet[Site]:
        """The sites that match, in every state."""
        if isinstance(self._read, QueryError):
            return sites.none()
        if self.region:
            sites = sites.filter(region=self.region)
        return sites.filter(self._read.where(timezone.now())) if self.q else sites

    @cached_property
    def _read(self) -> Query | QueryError:
        try:
            return Query.of(self.q, SITE_FIELDS)
        except QueryError as error:
            return error

    @property
    def problem(self) -> QueryError | None:
        """Why the query is none."""
        return self._read if isinstance(self._read, QueryError) else None

    @property
    def corrected(self) -> str:
        """The query with its mistake corrected; empty if nothing is like what was meant."""
        problem = self.problem
        return problem.correction.of(self.q) if problem and problem.correction else ""

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
