"""REST operations for regions."""

from typing import Any, Self

from django.db import transaction
from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import demand_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.models import Region
from tms.fleet.regions import services
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset
from tms.rest_base.etags import IF_MATCH, require_match, set_etag, version_of
from tms.rest_base.found_rows import find, find_to_change, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

BY_NAME = Keyset((Column("name"),))
CHANGED = "tms:region-changed"
MAKING = Access(Permission.EDIT_SITES, is_idempotent=True)
EDITING = Access(Permission.EDIT_SITES, refusals=(409, 412, 428), headers=(IF_MATCH,))


class RegionBody(RequestSchema):
    name: str = Field(min_length=1, max_length=100, examples=["Kanto"])
    name_ja: str = Field("", max_length=100, examples=["関東"])


RegionChange: Any = change_of(RegionBody, "RegionChange")


class RegionSchema(ResponseSchema):
    id: int
    name: str = Field(description="Sites, grants and owners refer to it by this name.", examples=["Kanto"])
    name_ja: str

    @classmethod
    def of(cls, region: Region) -> Self:
        return cls(id=region.pk, name=region.name, name_ja=region.name_ja)


class RegionPageSchema(Page[RegionSchema]): ...


@router.get("/regions", summary="List regions", response=RegionPageSchema)
def list_regions(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> RegionPageSchema:
    found = paginate(request, response, visible(Region.objects.all(), to=request.person), query, order=BY_NAME)
    return RegionPageSchema(items=[RegionSchema.of(region) for region in found.rows], next=found.next)


@router.get("/regions/{int:pk}", summary="Read a region", response=RegionSchema)
def read_region(request: ApiRequest, response: HttpResponse, pk: int) -> RegionSchema:
    """The `ETag` of the response is required to change the region."""
    return _answer(response, find(request, Region.objects.all(), pk=pk))


@router.post("/regions", summary="Create a region", response=RegionSchema, status=201, access=MAKING)
def make_region(request: ApiRequest, response: HttpResponse, body: RegionBody) -> RegionSchema:
    """Needs the permission for everything: no smaller scope contains a region that does not exist yet."""
    demand_within(request.person, Permission.EDIT_SITES, EVERYTHING)
    with unique("$.name", body.name):
        region = services.create_region(body.name, name_ja=body.name_ja)
    response["Location"] = f"{request.path}/{region.pk}"
    return _answer(response, region)


@router.patch("/regions/{int:pk}", summary="Change a region", response=RegionSchema, access=EDITING)
@transaction.atomic
def change_region(request: ApiRequest, response: HttpResponse, pk: int, body: RegionChange) -> RegionSchema:
    """A new name applies to everything that refers to the region, at once."""
    region = _editable(request, pk)
    fields = {"name": region.name, "name_ja": region.name_ja} | body.model_dump(exclude_unset=True)
    with unique("$.name", fields["name"]):
        services.edit_region(region, **fields)
    return _answer(response, region)


@router.delete("/regions/{int:pk}", summary="Delete a region", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_region(request: ApiRequest, pk: int) -> None:
    """409 while something refers to it; the detail says what."""
    services.delete_region(_editable(request, pk))


def _editable(request: ApiRequest, pk: int) -> Region:
    region = find_to_change(request, Region.objects.all(), Permission.EDIT_SITES, pk=pk)
    require_match(request, _version(region), kind=CHANGED)
    return region


def _version(region: Region) -> int:
    return version_of(region.name, region.name_ja)


def _answer(response: HttpResponse, region: Region) -> RegionSchema:
    set_etag(response, _version(region))
    return RegionSchema.of(region)
