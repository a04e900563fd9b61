"""REST operations to list and read sites, groups and terminals."""

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import scope_of, visible
from tms.accounts.models import User
from tms.fleet import models
from tms.fleet.models import Presence, Status, TerminalKind
from tms.fleet.schemas import (
    GroupPageSchema,
    GroupSchema,
    SitePageSchema,
    SiteSchema,
    TerminalPageSchema,
    TerminalSchema,
)
from tms.fleet.search import terminals_like
from tms.lib.pagination import Column, Keyset
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.router import ApiRouter

router = ApiRouter("fleet")
BY_CODE = Keyset((Column("code"),))
BY_NAME = Keyset((Column("name"),))
BY_UID = Keyset((Column("uid"),))


class TerminalQuery(PageQuery):
    q: str = Field("", max_length=64, description="Searches UID, location, serial number, model, address and site.")
    site: str = Field("", max_length=8, description="Site code.")
    group: str = Field("", max_length=100, description="Group name.")
    kind: TerminalKind | None = None
    presence: list[Presence] = Field([], description="Any of these.")
    status: Status | None = None

    def apply(self, rows: QuerySet[models.Terminal]) -> QuerySet[models.Terminal]:
        wanted: dict[str, object] = {
            "site__code": self.site,
            "groups__name": self.group,
            "kind": self.kind,
            "state__presence__in": self.presence,
            "state__status": self.status,
        }
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        return rows.filter(terminals_like(self.q)) if self.q else rows


@router.get("/sites", summary="List sites", response=SitePageSchema)
def list_sites(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> SitePageSchema:
    found = paginate(request, response, visible(models.Site.objects.all(), to=request.person), query, order=BY_CODE)
    return SitePageSchema(items=[SiteSchema.of(site) for site in found.rows], next=found.next)


@router.get("/sites/{code}", summary="Read a site", response=SiteSchema)
def read_site(request: ApiRequest, code: str) -> SiteSchema:
    return SiteSchema.of(site_called(request, code))


@router.get("/groups", summary="List groups", response=GroupPageSchema)
def list_groups(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> GroupPageSchema:
    """`GET /terminals?group=…` lists the terminals of a group."""
    found = paginate(request, response, visible(models.Group.objects.all(), to=request.person), query, order=BY_NAME)
    return GroupPageSchema(items=[GroupSchema(id=group.pk, name=group.name) for group in found.rows], next=found.next)


@router.get("/terminals", summary="List terminals", response=TerminalPageSchema)
def list_terminals(request: ApiRequest, response: HttpResponse, query: Query[TerminalQuery]) -> TerminalPageSchema:
    """Terminals, ordered by UID."""
    found = paginate(request, response, query.apply(_terminals(request)), query, order=BY_UID)
    return TerminalPageSchema(items=[TerminalSchema.of(terminal) for terminal in found.rows], next=found.next)


@router.get("/terminals/{uid}", summary="Read a terminal", response=TerminalSchema)
def read_terminal(request: ApiRequest, uid: str) -> TerminalSchema:
    terminal = _terminals(request).filter(uid=uid).first()
    if terminal is None:
        raise Http404
    return TerminalSchema.of(terminal)


def site_called(request: ApiRequest, code: str) -> models.Site:
    site = visible(models.Site.objects.filter(code=code), to=request.person).first()
    if site is None:
        raise Http404
    return site


def _terminals(request: ApiRequest) -> QuerySet[models.Terminal]:
    groups = Prefetch("groups", models.Group.objects.order_by("name"))
    rows = models.Terminal.objects.select_related("site", "state", "parent").prefetch_related(groups)
    return visible(_with_seen_parent(rows, request.person), to=request.person)


def _with_seen_parent(rows: QuerySet[models.Terminal], person: User) -> QuerySet[models.Terminal]:
    """A terminal that the person does not see is not named as a parent, either."""
    if scope_of(person).is_everything:
        return rows
    return (
        rows.select_related(None)
        .select_related("site", "state")
        .prefetch_related(Prefetch("parent", visible(models.Terminal.objects.all(), to=person)))
    )
