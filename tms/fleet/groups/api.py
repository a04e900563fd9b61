"""REST operations for groups whose members people choose. The lists are in `tms.fleet.api`."""

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from pydantic import Field

from tms.accounts.access import demand_within, permitted, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.groups import dynamic, services
from tms.fleet.models import Group, Terminal
from tms.fleet.router import router
from tms.fleet.schemas import GroupSchema
from tms.query.errors import QueryError
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag, version_of
from tms.rest_base.found_rows import find, find_to_change, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema

CHANGED = "tms:group-changed"
MAX_MEMBERS = 5_000
MAKING = Access(Permission.MANAGE_GROUPS, is_idempotent=True)
EDITING = Access(Permission.MANAGE_GROUPS, refusals=(409, 412, 428), headers=(IF_MATCH,))


class GroupBody(RequestSchema):
    name: str = Field(min_length=1, max_length=100, examples=["Pilot stores"])


class GroupQueryBody(RequestSchema):
    query: str = Field(max_length=2_000, description="Empty: people choose the members.", examples=["kind:kiosk"])
    dry_run: bool = Field(False, description="Only count what would change.")


class GroupQuerySchema(ResponseSchema):
    joins: int = Field(description="Number of terminals that become members.")
    leaves: int = Field(description="Number of members that are selected no more.")


class GroupMembersBody(RequestSchema):
    add: list[str] = Field([], max_length=MAX_MEMBERS, description="UIDs.")
    remove: list[str] = Field([], max_length=MAX_MEMBERS, description="UIDs.")


class GroupMembersSchema(ResponseSchema):
    added: int = Field(description="Number of terminals that were no members.")
    removed: int = Field(description="Number of terminals that were members.")


@router.get("/groups/{int:pk}", summary="Read a group", response=GroupSchema)
def read_group(request: ApiRequest, response: HttpResponse, pk: int) -> GroupSchema:
    """The `ETag` of the response is required to change the group."""
    return _answer(response, find(request, Group.objects.all(), pk=pk))


@router.post("/groups", summary="Create a group", response=GroupSchema, status=201, access=MAKING)
def make_group(request: ApiRequest, response: HttpResponse, body: GroupBody) -> GroupSchema:
    """Needs the permission for everything: no smaller scope contains a group that does not exist yet."""
    demand_within(request.person, Permission.MANAGE_GROUPS, EVERYTHING)
    with unique("$.name", body.name):
        group = services.create_group(body.name)
    response["Location"] = f"{request.path}/{group.pk}"
    return _answer(response, group)


@router.patch("/groups/{int:pk}", summary="Rename a group", response=GroupSchema, access=EDITING)
@transaction.atomic
def rename_group(request: ApiRequest, response: HttpResponse, pk: int, body: GroupBody) -> GroupSchema:
    group = _editable(request, pk)
    with unique("$.name", body.name):
        services.rename_group(group, name=body.name)
    return _answer(response, group)


@router.post("/groups/{int:pk}/query", summary="Set the query of a group", response=GroupQuerySchema, access=MAKING)
@transaction.atomic
def set_group_query(request: ApiRequest, pk: int, body: GroupQueryBody) -> GroupQuerySchema:
    """The members are then those that the query selects. It needs the permission for everything, and the group must
    not be the scope of a grant. Repeating it changes nothing.
    """
    group = find_to_change(request, Group.objects.all(), Permission.MANAGE_GROUPS, pk=pk)
    demand_within(request.person, Permission.MANAGE_GROUPS, EVERYTHING)
    try:
        if body.dry_run:
            found = dynamic.preview(group, body.query, at=timezone.now())
        else:
            found = dynamic.set_query(group, body.query, by=request.person, at=timezone.now())
    except QueryError as error:
        raise unreadable(RequestFault("$.query", str(error))) from None
    return GroupQuerySchema(joins=len(found.joins), leaves=len(found.leaves))


@router.delete("/groups/{int:pk}", summary="Delete a group", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_group(request: ApiRequest, pk: int) -> None:
    """409 while something refers to it; the detail says what. Its terminals stay."""
    services.delete_group(_editable(request, pk), by=request.person, at=timezone.now())


@router.post(
    "/groups/{int:pk}/members", summary="Change the members of a group", response=GroupMembersSchema, access=MAKING
)
@transaction.atomic
def change_members(request: ApiRequest, pk: int, body: GroupMembersBody) -> GroupMembersSchema:
    """Repeating it changes nothing. Added terminals need the permission, too. If a grant has the group as its scope,
    its members are what other people see: changing them needs `accounts.manage_people` as well.
    """
    group = find_to_change(request, Group.objects.all(), Permission.MANAGE_GROUPS, pk=pk)
    named = BodyValues()
    addable = permitted(Terminal.objects.all(), by=request.person, permission=Permission.MANAGE_GROUPS)
    add = named.rows(addable, "uid", body.add, "$.add")
    remove = named.rows(visible(Terminal.objects.all(), to=request.person), "uid", body.remove, "$.remove")
    with named.reported():
        added, removed = services.set_members(
            group,
            add=[terminal.pk for terminal in add],
            remove=[terminal.pk for terminal in remove],
            by=request.person,
            at=timezone.now(),
        )
    return GroupMembersSchema(added=added, removed=removed)


def _editable(request: ApiRequest, pk: int) -> Group:
    group = find_to_change(request, Group.objects.all(), Permission.MANAGE_GROUPS, pk=pk)
    require_match(request, _version(group), kind=CHANGED)
    return group


def _version(group: Group) -> int:
    return version_of(group.name, group.query)


def _answer(response: HttpResponse, group: Group) -> GroupSchema:
    set_etag(response, _version(group))
    return GroupSchema.of(group)
