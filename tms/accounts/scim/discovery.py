"""What the SCIM of TMS can do (RFC 7644, section 4)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from scim2_models import Context, Meta, Resource, ResourceType, Schema, ServiceProviderConfig
from scim2_models.resources.service_provider_config import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ETag,
    Filter,
    Pagination,
    Patch,
    Sort,
)

from tms.accounts.scim.endpoint import ScimRequest
from tms.accounts.scim.errors import answer, forbidden, not_found
from tms.accounts.scim.requests import DEFAULT_COUNT, MAX_RESULTS
from tms.accounts.scim.resources import LIST_SCHEMA, ROOT
from tms.accounts.scim.schemas import ScimGroup, ScimUser

MODELS: tuple[type[Resource[Any]], ...] = (ScimUser, ScimGroup)


def service_provider_config(request: ScimRequest) -> HttpResponse:
    scheme = AuthenticationScheme(
        type=AuthenticationScheme.Type.oauthbearertoken,
        name="API token",
        description="A token of a service account, with the scope SCIM",
        primary=True,
    )
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        pagination=Pagination(
            cursor=False,
            index=True,
            default_pagination_method=Pagination.DefaultPaginationMethod.index,
            default_page_size=DEFAULT_COUNT,
            max_page_size=MAX_RESULTS,
        ),
        authentication_schemes=[scheme],
    )
    return answer(_dump(request, config, "ServiceProviderConfig", "ServiceProviderConfig"))


def resource_types(request: ScimRequest, name: str) -> HttpResponse:
    known = {str(one.name): one for one in map(ResourceType.from_resource, MODELS)}
    return _answer_list(request, "ResourceType", known, name)


def schemas(request: ScimRequest, name: str) -> HttpResponse:
    known = {str(model.__schema__): _schema(model) for model in MODELS}
    return _answer_list(request, "Schema", known, name)


def _schema(model: type[Resource[Any]]) -> Schema:
    schema = model.to_schema()
    schema.name = str(model.__schema__).rpartition(":")[2]
    return schema


def _answer_list(request: ScimRequest, kind: str, resources: Mapping[str, Resource[Any]], name: str) -> HttpResponse:
    """All, or the one with this name. Filters are not allowed here (RFC 7644, section 4)."""
    if "filter" in request.GET:
        raise forbidden("this list has no filter")
    known = {key: _dump(request, one, kind, f"{kind}s/{key}") for key, one in resources.items()}
    if name:
        found = next((one for key, one in known.items() if key.lower() == name.lower()), None)
        if found is None:
            raise not_found(name[:100])
        return answer(found)
    listed = list(known.values())
    return answer(
        {
            "schemas": [LIST_SCHEMA],
            "totalResults": len(listed),
            "startIndex": 1,
            "itemsPerPage": len(listed),
            "Resources": listed,
        }
    )


def _dump(request: ScimRequest, resource: Resource[Any], kind: str, path: str) -> dict[str, Any]:
    resource.meta = Meta(resource_type=kind, location=request.build_absolute_uri(f"{ROOT}/{path}"))
    return resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
