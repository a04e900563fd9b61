"""The REST operation of the global search: what a person finds, without pages and actions."""

from datetime import datetime
from typing import Self

from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.rest_base.operation import ApiRequest
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema
from tms.search import services
from tms.search.hits import MAX_COUNTED_HITS, Hit, HitGroup, SourceQuery
from tms.search.query import MAX_CHARACTERS, SearchQuery

router = ApiRouter("search")
MAX_HITS = 50


class GlobalSearchQuery(RequestSchema):
    q: str = Field(
        max_length=MAX_CHARACTERS,
        description="Up to four words, all of which have to match; or a query about terminals.",
    )
    limit: int = Field(10, ge=1, le=MAX_HITS, description="The most hits of each kind.")


class HitSchema(ResponseSchema):
    kind: str = Field(
        description="`site`, `terminal`, `incident`, `alert`, `view`, `group`, `job`, `rule`, `window`, `destination`, "
        "`policy`, `rotation`, `person` or `team`."
    )
    name: str = Field(description="Code of the site, UID of the terminal, otherwise the number.", examples=["SJK"])
    title: str = Field(examples=["Shinjuku South"])
    detail: str = Field(examples=["SJK, 118 terminals"])
    since: datetime | None = Field(description="When it opened, begins, or was last seen.")
    url: str = Field(description="Path of its page.", examples=["/sites/SJK/"])

    @classmethod
    def of(cls, hit: Hit) -> Self:
        return cls(kind=hit.kind, name=hit.name, title=hit.title, detail=hit.detail, since=hit.since, url=hit.href)


class HitGroupSchema(ResponseSchema):
    name: str = Field(examples=["sites"])
    total: int = Field(description=f"How many there are, counted up to {MAX_COUNTED_HITS:,}.")
    hits: list[HitSchema]

    @classmethod
    def of(cls, group: HitGroup) -> Self:
        return cls(name=group.name, total=group.number, hits=[HitSchema.of(hit) for hit in group.hits])


class FoundSchema(ResponseSchema):
    groups: list[HitGroupSchema]


@router.get("/search", summary="Search everything", response=FoundSchema)
def search_everything(request: ApiRequest, query: Query[GlobalSearchQuery]) -> FoundSchema:
    """What the person of the token sees, by kind. Kinds without a hit are left out."""
    written = SearchQuery.of(query.q)
    text = services.query_in(written.text)
    found = services.rows_like(written, SourceQuery(written.terms, request.person, timezone.now(), query.limit, text))
    return FoundSchema(groups=[HitGroupSchema.of(group) for group in found if group.hits])
