"""The SCIM resources of TMS: what it stores of `User` and `Group`. Other attributes are accepted and ignored."""

from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    CaseExact,
    ComplexAttribute,
    Mutability,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""The deviations of Entra ID and Okta: attributes that TMS does not have, `remove` with values, new addresses."""


class ScimName(ComplexAttribute):
    given_name: Annotated[str | None, Field(description="Given name")] = None
    family_name: Annotated[str | None, Field(description="Family name")] = None


class ScimEmail(ComplexAttribute):
    value: Annotated[str | None, Field(description="The address")] = None
    type: Annotated[str | None, Field(description="TMS stores one address, as that of work", examples=["work"])] = None
    primary: Annotated[bool | None, Field(description="Whether TMS takes this address if there are several")] = None


class ScimMembership(ComplexAttribute):
    """A team of a person."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    display: Annotated[str | None, Mutability.read_only] = None


class ScimUser(Resource[Any]):
    """A person of TMS. Service accounts are none."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[
        str | None, Required.true, Uniqueness.server, Field(description="The username, usually the e-mail address")
    ] = None
    name: ScimName | None = None
    emails: Annotated[list[ScimEmail] | None, Field(description="TMS stores one: the primary one, or the first")] = None
    active: Annotated[bool | None, Field(description="False: the account is disabled")] = None
    groups: Annotated[list[ScimMembership] | None, Mutability.read_only, Field(description="The teams")] = None


class ScimMember(ComplexAttribute):
    """A person of a team."""

    value: Annotated[str | None, CaseExact.true, Mutability.immutable, Field(description="The id of a User")] = None
    ref: Annotated[
        Reference["User"] | None,  # type: ignore[name-defined]  # noqa: F821  (the name of the resource type)
        Mutability.immutable,
        Field(serialization_alias="$ref", validation_alias="$ref", description="The address of the User"),
    ] = None
    type: Annotated[str | None, Mutability.immutable, Field(examples=["User"])] = None


class ScimGroup(Resource[Any]):
    """A team of TMS. What its members may do is granted in TMS."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server, Field(description="The name of the team")] = (
        None
    )
    members: list[ScimMember] | None = None
