"""REST operations to list and read sites, groups and terminals."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.fleet import models
from tms.fleet.models import Lifecycle, Presence, Status, TerminalKind
from tms.fleet.rest_queries import condition_of
from tms.fleet.router import router
from tms.fleet.schemas import (
    GroupPageSchema,
    GroupSchema,
    SitePageSchema,
    SiteSchema,
    TerminalPageSchema,
    TerminalSchema,
)
from tms.fleet.site_query import SITE_FIELDS
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.fleet.terminal_rows import terminals_for
from tms.lib.pagination import Column, Keyset
from tms.query.parser import MAX_CHARACTERS
from tms.query.tree import Operator
from tms.rest_base.etags import set_etag
from tms.rest_base.found_rows import find
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import PageQuery, paginate

BY_CODE = Keyset((Column("code"),))
BY_NAME = Keyset((Column("name"),))
BY_UID = Keyset((Column("uid"),))


class TerminalQuery(PageQuery):
    q: str = Field(
        "",
        max_length=MAX_CHARACTERS,
        description="A query: conditions such as `site:SJK`, `firmware<4.8` or `-tag:lobby`, and words to search for.",
    )
    site: str = Field("", max_length=8, description="Site code.")
    group: str = Field("", max_length=100, description="Group name.")
    kind: TerminalKind | None = None
    presence: list[Presence] = Field([], description="Any of these.")
    status: Status | None = None
    lifecycle: list[Lifecycle] = Field([], description="Any of these.")

    def apply(self, rows: QuerySet[models.Terminal]) -> QuerySet[models.Terminal]:
        exact = {"site__code": self.site, "groups__name": self.group}
        rows = rows.filter(**{name: value for name, value in exact.items() if value})
        rows = rows.filter(*self._conditions())
        return rows.filter(condition_of(self.q, TERMINAL_FIELDS)) if self.q else rows

    def _conditions(self) -> Iterator[Q]:
        """The parameters that are fields of queries, too."""
        chosen = {
            "kind": (self.kind,),
            "presence": self.presence,
            "status": (self.status,),
            "state": self.lifecycle,
        }
        for name, values in chosen.items():
            field = TERMINAL_FIELDS.find(name)
            if field and any(values):
                yield field.condition(Operator.IS, tuple(values), timezone.now())


class SiteQuery(PageQuery):
    q: str = Field("", max_length=MAX_CHARACTERS, description="A query, such as `region:Kanto open:no`.")


@router.get("/sites", summary="List sites", response=SitePageSchema)
def list_sites(request: ApiRequest, response: HttpResponse, query: Query[SiteQuery]) -> SitePageSchema:
    """Sites in all states; `q` selects some of them."""
    rows = visible(models.Site.objects.filter(condition_of(query.q, SITE_FIELDS)), to=request.person)
    found = paginate(request, response, rows, query, order=BY_CODE)
    return SitePageSchema(items=[SiteSchema.of(site) for site in found.rows], next=found.next)


@router.get("/sites/{code}", summary="Read a site", response=SiteSchema)
def read_site(request: ApiRequest, response: HttpResponse, code: str) -> SiteSchema:
    """The `ETag` of the response is required to change the site."""
    site = SiteSchema.of(find(request, models.Site.objects.all(), code=code))
    set_etag(response, site.version)
    return site


@router.get("/groups", summary="List groups", response=GroupPageSchema)
def list_groups(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> GroupPageSchema:
    """`GET /terminals?group=…` lists the terminals of a group."""
    found = paginate(request, response, visible(models.Group.objects.all(), to=request.person), query, order=BY_NAME)
    return GroupPageSchema(items=[GroupSchema.of(group) for group in found.rows], next=found.next)


@router.get("/terminals", summary="List terminals", response=TerminalPageSchema)
def list_terminals(request: ApiRequest, response: HttpResponse, query: Query[TerminalQuery]) -> TerminalPageSchema:
    """Terminals, ordered by UID."""
    found = paginate(request, response, query.apply(terminals_for(request.person)), query, order=BY_UID)
    return TerminalPageSchema(items=[TerminalSchema.of(terminal) for terminal in found.rows], next=found.next)


@router.get("/terminals/{uid}", summary="Read a terminal", response=TerminalSchema)
def read_terminal(request: ApiRequest, response: HttpResponse, uid: str) -> TerminalSchema:
    """The `ETag` of the response is required to change the terminal."""
    terminal = TerminalSchema.of(find(request, terminals_for(request.person), uid=uid))
    set_etag(response, terminal.version)
    return terminal
