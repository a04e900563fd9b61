"""REST operation to read the history of what identifies a terminal."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.fleet.models import IdentityChange, IdentityField, IdentitySource, Site, Terminal
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset, instant
from tms.rest_base.found_rows import find
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import Page, paginate
from tms.rest_base.schemas import ResponseSchema
from tms.rest_base.time_ranges import TimeRangeQuery

OLDEST_FIRST = Keyset((Column("at", instant), Column("pk", int)))

type Seen = Mapping[str, Collection[int]]
"""Primary keys by the field that refers to them."""


class IdentityChangeSchema(ResponseSchema):
    at: datetime
    field: IdentityField
    before: str | list[str] | None = Field(
        description="Site code, UID of the parent (null if out of sight), names of groups, or the text."
    )
    after: str | list[str] | None
    source: IdentitySource
    by: str | None = Field(description="Username; null if the terminal reported it.")

    @classmethod
    def of(cls, change: IdentityChange, seen: Seen) -> Self:
        return cls(
            at=change.at,
            field=IdentityField(change.field),
            before=_shown(change.field, change.before, seen),
            after=_shown(change.field, change.after, seen),
            source=IdentitySource(change.source),
            by=change.by.username if change.by else None,
        )


class IdentityChangePageSchema(Page[IdentityChangeSchema]): ...


@router.get(
    "/terminals/{uid}/identity-changes", summary="List what changed of a terminal", response=IdentityChangePageSchema
)
def list_identity_changes(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[TimeRangeQuery]
) -> IdentityChangePageSchema:
    """Serial number, model, firmware, agent, site, location, kind, parent, groups and lifecycle state, oldest first."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(query.within(IdentityChange.objects.filter(terminal=terminal)), to=request.person)
    found = paginate(request, response, rows.select_related("by"), query, order=OLDEST_FIRST)
    seen = _seen(request, found.rows)
    return IdentityChangePageSchema(
        items=[IdentityChangeSchema.of(change, seen) for change in found.rows], next=found.next
    )


def _seen(request: ApiRequest, changes: Sequence[IdentityChange]) -> Seen:
    """The sites and parents of these changes that the person sees."""
    return {
        field: set(visible(rows.filter(pk__in=_keys(changes, field)), to=request.person).values_list("pk", flat=True))
        for field, rows in ((IdentityField.SITE, Site.objects.all()), (IdentityField.PARENT, Terminal.objects.all()))
    }


def _keys(changes: Sequence[IdentityChange], field: str) -> set[int]:
    values = (value for change in changes if change.field == field for value in (change.before, change.after))
    return {value[0] for value in values if value}


def _shown(field: str, value: Any, seen: Seen) -> Any:
    """Rows are stored as their primary key and name. Those out of sight are not named."""
    if field == IdentityField.GROUPS:
        return [name for _, name in value or ()]
    if field not in seen:
        return value
    key, name = value or (None, None)
    return name if key in seen[field] else None
