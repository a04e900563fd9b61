"""The operations of RFC 7644 on a kind of resource: list, create, read, replace, change and delete."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from scim2_models import Context, Meta, PatchOp, Resource, ResponseParameters

from tms.accounts.scim import requests
from tms.accounts.scim.endpoint import ScimRequest
from tms.accounts.scim.errors import answer, not_found
from tms.accounts.scim.filters import FilterColumn, filtered, key_of

LIST_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ROOT = "/scim/v2"


class ResourceKind[Row: Model, Shape: Resource[Any]](ABC):
    """People as `User`, or teams as `Group`."""

    name: ClassVar[str]
    prefix: ClassVar[str]
    """The prefix of the id, before the primary key: the id of every resource is another one (RFC 7643, 3.1)."""
    model: type[Shape]
    columns: ClassVar[Mapping[str, FilterColumn]]

    @abstractmethod
    def rows(self) -> QuerySet[Row]:
        """The rows that the directory sees, in a fixed order."""

    @abstractmethod
    def shapes(self, rows: Collection[Row]) -> list[Shape]:
        """The resources, without `meta` and addresses. As many queries for many rows as for one."""

    @abstractmethod
    def create(self, wanted: Shape, request: ScimRequest) -> Row: ...

    @abstractmethod
    def replace(self, row: Row, wanted: Shape, request: ScimRequest) -> None: ...

    @abstractmethod
    def patch(self, row: Row, message: PatchOp[Any], request: ScimRequest) -> None: ...

    @abstractmethod
    def delete(self, row: Row, request: ScimRequest) -> None: ...

    def find(self, key: str, *, to_change: bool = False) -> Row:
        """Locked if it is `to_change`."""
        rows = self.rows().filter(pk=key_of(key, self.prefix))
        row = (rows.select_for_update(of=("self",)) if to_change else rows).first()
        if row is None:
            raise not_found(f"{self.name}s/{key[:100]}")
        return row

    def resource(self, row: Row, request: ScimRequest) -> Shape:
        return self.resources([row], request)[0]

    def resources(self, rows: Collection[Row], request: ScimRequest) -> list[Shape]:
        shapes = self.shapes(rows)
        for shape in shapes:
            location = request.build_absolute_uri(f"{ROOT}/{self.name}s/{shape.id}")
            shape.meta = Meta(resource_type=self.name, location=location, version=_version(shape))
            self.add_addresses(shape, request.build_absolute_uri(ROOT))
        return shapes

    def add_addresses(self, shape: Shape, root: str) -> None:  # noqa: B027  (most name none)
        """Add the addresses of other resources that it names. They do not count for its version: they differ by
        host.
        """


def _version(shape: Resource[Any]) -> str:
    """A weak tag of the content: it changes with every change, by a person as well."""
    content = json.dumps(shape.model_dump(scim_ctx=Context.DEFAULT), sort_keys=True)
    return f'W/"{hashlib.sha256(content.encode()).hexdigest()[:16]}"'


def collection(request: ScimRequest, kind: ResourceKind[Any, Any]) -> HttpResponse:
    if request.method == "POST":
        wanted = requests.resource(request, kind.model)
        with transaction.atomic():
            row = kind.create(wanted, request)
            made = kind.resource(row, request)
        return _single(request, made, status=201)
    return _list(request, kind)


def _list(request: ScimRequest, kind: ResourceKind[Any, Any]) -> HttpResponse:
    search = requests.search(request, kind.model)
    rows = filtered(kind.rows(), search.filter, kind.columns)
    first, count = search.start_index or 1, search.count or 0
    resources = kind.resources(list(rows[first - 1 : first - 1 + count]), request)
    body = {
        "schemas": [LIST_SCHEMA],
        "totalResults": rows.count(),
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": [_dump(resource, search) for resource in resources],
    }
    return answer(body)


def member(request: ScimRequest, kind: ResourceKind[Any, Any], key: str) -> HttpResponse:
    if request.method == "GET":
        resource = kind.resource(kind.find(key), request)
        if requests.has_current(request, resource.meta.version):
            return HttpResponse(status=304, headers={"ETag": resource.meta.version})
        return _single(request, resource)
    return _change(request, kind, key)


@transaction.atomic
def _change(request: ScimRequest, kind: ResourceKind[Any, Any], key: str) -> HttpResponse:
    row = kind.find(key, to_change=True)
    requests.check_version(request, kind.resource(row, request).meta.version)
    if request.method == "DELETE":
        kind.delete(row, request)
        return HttpResponse(status=204)
    if request.method == "PUT":
        kind.replace(row, requests.resource(request, kind.model), request)
    else:
        kind.patch(row, requests.patch(request, kind.model), request)
    return _single(request, kind.resource(kind.find(key), request))


def _single(request: ScimRequest, resource: Resource[Any], *, status: int = 200) -> HttpResponse:
    assert resource.meta is not None
    headers = {"ETag": str(resource.meta.version)}
    if status == 201:
        headers["Location"] = str(resource.meta.location)
    return answer(_dump(resource, requests.search(request, type(resource))), status=status, headers=headers)


def _dump(resource: Resource[Any], parameters: ResponseParameters[Any]) -> dict[str, Any]:
    return resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters)
