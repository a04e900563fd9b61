"""REST operations for saved views."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import grant_scopes
from tms.accounts.models import User
from tms.fleet.models import SavedView, ViewedList
from tms.fleet.models.saved_view import MAX_VIEW_NAME, MAX_VIEW_QUERY
from tms.fleet.owners import OwnerSchema, owner_fields, owner_name
from tms.fleet.router import router
from tms.fleet.saved_views import services
from tms.fleet.saved_views.services import ViewValues
from tms.lib.pagination import Column, Keyset
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag, version_of
from tms.rest_base.found_rows import unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

IN_ORDER = Keyset((Column("pk", int),))
CHANGED = "tms:view-changed"
MAKING = Access(is_idempotent=True)
EDITING = Access(refusals=(409, 412, 428), headers=(IF_MATCH,))


class ViewChangeBody(RequestSchema):
    name: str = Field(min_length=1, max_length=MAX_VIEW_NAME, examples=["Kiosks to update"])
    query: str = Field("", max_length=MAX_VIEW_QUERY, examples=["kind:kiosk firmware<4.8"])
    columns: str = Field("", max_length=1_000, description="As in the URL of the list.", examples=["uid,presence"])
    order: str = Field("", max_length=60, description="As in the URL of the list.", examples=["-firmware"])
    shared: bool = Field(False, description="Needs `fleet.manage_groups` for the `owner`.")
    owner: OwnerSchema = Field(OwnerSchema(), description="The scope that a shared view is for.")


class ViewBody(ViewChangeBody):
    list: ViewedList = ViewedList.TERMINALS


ViewChange: Any = change_of(ViewChangeBody, "ViewChange")


class ViewSchema(ResponseSchema):
    id: int
    list: ViewedList
    name: str
    query: str
    columns: str
    order: str
    shared: bool
    owner: OwnerSchema
    by: str = Field(description="Username of the person who made it.", examples=["m.tanaka"])
    url: str = Field(description="Path of the list.", examples=["/terminals/?q=kind%3Akiosk&view=7"])

    @classmethod
    def of(cls, view: SavedView) -> Self:
        return cls(**_fields(view), id=view.pk, list=ViewedList(view.list), by=view.by.username, url=view.address)


class ViewPageSchema(Page[ViewSchema]): ...


@router.get("/views", summary="List views", response=ViewPageSchema)
def list_views(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> ViewPageSchema:
    """Your own, and the shared ones that you see."""
    found = paginate(request, response, _views(request), query, order=IN_ORDER)
    return ViewPageSchema(items=[ViewSchema.of(view) for view in found.rows], next=found.next)


@router.get("/views/{int:pk}", summary="Read a view", response=ViewSchema)
def read_view(request: ApiRequest, response: HttpResponse, pk: int) -> ViewSchema:
    """The `ETag` of the response is required to change the view."""
    return _answer(response, _find(request, pk))


@router.post("/views", summary="Create a view", response=ViewSchema, status=201, access=MAKING)
def make_view(request: ApiRequest, response: HttpResponse, body: ViewBody) -> ViewSchema:
    """A view is text: it shows each person the rows of their own scope. A private one is yours alone."""
    fields = body.model_dump()
    with _refusals(fields):
        view = services.create_view(_values(fields, request.person), by=request.person, listed=body.list)
    response["Location"] = f"{request.path}/{view.pk}"
    return _answer(response, view)


@router.patch("/views/{int:pk}", summary="Change a view", response=ViewSchema, access=EDITING)
@transaction.atomic
def change_view(request: ApiRequest, response: HttpResponse, pk: int, body: ViewChange) -> ViewSchema:
    """A shared view needs `fleet.manage_groups` for its owner, also for the one that it gets."""
    fields = _fields(_editable(request, pk)) | body.model_dump(exclude_unset=True)
    with _refusals(fields):
        services.change_view(_find(request, pk), _values(fields, request.person), by=request.person)
    return _answer(response, _find(request, pk))


@router.delete("/views/{int:pk}", summary="Delete a view", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_view(request: ApiRequest, pk: int) -> None:
    services.delete_view(_editable(request, pk), by=request.person)


def _views(request: ApiRequest) -> QuerySet[SavedView]:
    return services.views_of(request.person).select_related("by", "owner_site", "owner_group")


def _find(request: ApiRequest, pk: int, *, is_locked: bool = False) -> SavedView:
    rows = _views(request)
    found = (rows.select_for_update(of=("self",), no_key=True) if is_locked else rows).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _editable(request: ApiRequest, pk: int) -> SavedView:
    """The view, locked, so that the version that is compared now is still the stored one when it is changed."""
    view = _find(request, pk, is_locked=True)
    services.demand_change(view, by=request.person)
    require_match(request, _version(view), kind=CHANGED)
    return view


def _fields(view: SavedView) -> dict[str, Any]:
    named = {name: getattr(view, name) for name in services.CHECKED}
    return {**named, "shared": view.is_shared, "owner": owner_fields(view)}


def _values(fields: dict[str, Any], person: User) -> ViewValues:
    named = {name: fields[name] for name in services.CHECKED}
    owner = grant_scopes.parse(owner_name(fields["owner"], to=person)) if fields["shared"] else None
    return ViewValues(**named, owner=owner)


@contextmanager
def _refusals(fields: dict[str, Any]) -> Iterator[None]:
    with BodyValues().reported(), unique("$.name", fields["name"]):
        yield


def _version(view: SavedView) -> int:
    return version_of(*_fields(view).values())


def _answer(response: HttpResponse, view: SavedView) -> ViewSchema:
    set_etag(response, _version(view))
    return ViewSchema.of(view)
