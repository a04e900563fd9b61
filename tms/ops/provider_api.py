"""REST operations for identity providers: read them, map groups, and disable one.

What decides who signs in as whom is changed on the pages only, after a recent sign-in.
"""

from datetime import datetime
from typing import Self

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query
from pydantic import Field

from tms.accounts import access
from tms.accounts.audit import recorder
from tms.accounts.identity_providers.administration import services
from tms.accounts.identity_providers.administration.forms import MappingForm
from tms.accounts.models import FactorPolicy, GroupMapping, IdentityProvider, ProviderKind, Role
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.owners import OwnerSchema, owner_name
from tms.lib.pagination import Column, Keyset
from tms.rest_base.form_errors import faults, numbers
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import Page, PageQuery, paginate
from tms.rest_base.problems import ProblemError, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import RequestSchema, ResponseSchema

router = ApiRouter("identity-providers")
SETTING_UP = Access(Permission.EDIT_PROVIDERS, is_idempotent=True)
READING = Access(Permission.EDIT_PROVIDERS)
BY_NAME = Keyset((Column("name"),))
SAME = ("kind", "name", "slug", "is_enabled", "issuer", "client_id", "email_domains", "creates_people")
SAME_TOO = ("links_by_email", "factor_policy", "signs_out", "created_at")


class MappingBody(RequestSchema):
    value: str = Field(min_length=1, max_length=255, description="The group, exactly as the provider sends it.")
    role: str = Field(description="Name of the role that its members hold.")
    scope: OwnerSchema = Field(OwnerSchema(), description="Where they hold it; all empty for everything.")


class MappingSchema(ResponseSchema):
    id: int
    value: str
    role: str
    scope: OwnerSchema

    @classmethod
    def of(cls, mapping: GroupMapping) -> Self:
        site, group = mapping.site, mapping.group
        scope = OwnerSchema(region=mapping.region, site=site.code if site else "", group=group.name if group else "")
        return cls(id=mapping.pk, value=mapping.value, role=mapping.role.name, scope=scope)


class IdentityProviderSchema(ResponseSchema):
    id: int
    kind: ProviderKind
    name: str
    slug: str
    is_enabled: bool
    issuer: str = Field(description="Of SAML, the entity ID.")
    client_id: str
    email_domains: str
    creates_people: bool
    links_by_email: bool
    factor_policy: FactorPolicy
    signs_out: bool
    created_at: datetime
    mappings: list[MappingSchema]

    @classmethod
    def of(cls, provider: IdentityProvider) -> Self:
        same = {name: getattr(provider, name) for name in (*SAME, *SAME_TOO)}
        mappings = provider.mappings.select_related("role", "site", "group")
        return cls(id=provider.pk, mappings=[MappingSchema.of(mapping) for mapping in mappings], **same)


class IdentityProviderPageSchema(Page[IdentityProviderSchema]): ...


@router.get(
    "/identity-providers", summary="List identity providers", response=IdentityProviderPageSchema, access=READING
)
def list_identity_providers(
    request: ApiRequest, response: HttpResponse, query: Query[PageQuery]
) -> IdentityProviderPageSchema:
    """Identity providers without their secrets. This and the following need the permission for everything."""
    _demand(request)
    found = paginate(request, response, IdentityProvider.objects.all(), query, order=BY_NAME)
    return IdentityProviderPageSchema(items=[IdentityProviderSchema.of(row) for row in found.rows], next=found.next)


@router.get(
    "/identity-providers/{int:pk}", summary="Read an identity provider", response=IdentityProviderSchema, access=READING
)
def read_identity_provider(request: ApiRequest, pk: int) -> IdentityProviderSchema:
    return IdentityProviderSchema.of(_find(request, pk))


@router.post(
    "/identity-providers/{int:pk}/disable",
    summary="Disable an identity provider",
    response=IdentityProviderSchema,
    access=SETTING_UP,
)
def disable_identity_provider(request: ApiRequest, pk: int) -> IdentityProviderSchema:
    """Nobody signs in there any more, and sessions that began there end. People enable it on its page."""
    services.disable(_find(request, pk))
    return IdentityProviderSchema.of(_find(request, pk))


@router.post(
    "/identity-providers/{int:pk}/mappings",
    summary="Map a group of an identity provider",
    response=MappingSchema,
    status=201,
    access=SETTING_UP,
)
def map_group(request: ApiRequest, pk: int, body: MappingBody) -> MappingSchema:
    """Members of the group hold the role from their next sign-in on. The person of the token must hold all of it."""
    provider = _find(request, pk)
    values = {
        "value": body.value,
        "role": numbers(Role.objects.all(), "name", [body.role], "$.role")[0],
        "scope": owner_name(body.scope.model_dump(), to=request.person),
    }
    form = MappingForm(values, by=request.person)
    if not form.is_valid():
        raise unreadable(*faults(form))
    with recorder.change(provider):
        return MappingSchema.of(form.store(provider))


@router.delete(
    "/identity-providers/{int:pk}/mappings/{int:mapping}",
    summary="Remove the mapping of a group",
    response=None,
    status=204,
    access=SETTING_UP,
)
def unmap_group(request: ApiRequest, pk: int, mapping: int) -> None:
    """Its members lose what follows from it at their next sign-in."""
    provider = _find(request, pk)
    row = get_object_or_404(provider.mappings, pk=mapping)
    with recorder.change(provider):
        row.delete()


def _demand(request: ApiRequest) -> None:
    """A provider signs people of every scope in."""
    if not access.may_within(request.person, Permission.EDIT_PROVIDERS, EVERYTHING):
        detail = f"the person of this token has {Permission.EDIT_PROVIDERS} for a part only; it must be for everything"
        raise ProblemError(403, "tms:forbidden", detail)


def _find(request: ApiRequest, pk: int) -> IdentityProvider:
    _demand(request)
    return get_object_or_404(IdentityProvider, pk=pk)
