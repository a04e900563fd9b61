"""Lists of what happened within a period, by cursor."""

from typing import Any

from django.db.models import QuerySet
from pydantic import Field

from tms.rest_base.pagination import PageQuery
from tms.rest_base.schemas import Instant


class TimeRangeQuery(PageQuery):
    """Follow a list by `next` until it is null, and continue later with the last instant as `since`."""

    since: Instant | None = Field(None, description="The first instant; null: as long as TMS stores.")
    until: Instant | None = Field(None, description="The first instant that is left out; null: now.")

    def within[Rows: QuerySet[Any]](self, rows: Rows, column: str = "at") -> Rows:
        limits = {f"{column}__gte": self.since, f"{column}__lt": self.until}
        return rows.filter(**{name: at for name, at in limits.items() if at is not None})
