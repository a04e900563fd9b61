"""REST operations for a tag of the whole fleet."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from pydantic import Field

from tms.accounts.access import demand_within
from tms.accounts.permissions import Permission
from tms.accounts.scope.value import EVERYTHING
from tms.fleet.label_editing import catalogue, moves
from tms.fleet.labels.tags import delete_everywhere, normalized
from tms.fleet.models.tag import MAX_TAG_CHARACTERS
from tms.fleet.router import router
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema

CHANGING = Access(Permission.MANAGE_GROUPS, is_idempotent=True, refusals=(409,))


class TagDeletionBody(RequestSchema):
    name: str = Field(min_length=1, max_length=MAX_TAG_CHARACTERS, examples=["lobby"])
    dry_run: bool = Field(False, description="Changes nothing.")


class TagRenamingBody(TagDeletionBody):
    to: str = Field(max_length=MAX_TAG_CHARACTERS, description="Another tag: both become one.", examples=["entrance"])


class GroupMoveSchema(ResponseSchema):
    group: str = Field(examples=["Lobby kiosks"])
    joins: int
    leaves: int


class TagChangeSchema(ResponseSchema):
    terminals: int = Field(description="Number of terminals that have the tag.")
    sites: int
    devices: int
    moves: list[GroupMoveSchema] = Field(description="Dynamic groups that gain or lose members.")


@router.post("/tags/rename", summary="Rename a tag everywhere", response=TagChangeSchema, access=CHANGING)
@transaction.atomic
def rename_tag(request: ApiRequest, body: TagRenamingBody) -> TagChangeSchema:
    """409 if the query of a dynamic group names the tag. Needs the permission for everything."""
    try:
        (to,) = normalized([body.to])
    except ValidationError as error:
        raise unreadable(RequestFault("$.to", " ".join(error.messages))) from None
    return _change(request, body, lambda: catalogue.rename_tag(body.name, to))


@router.post("/tags/delete", summary="Delete a tag everywhere", response=TagChangeSchema, access=CHANGING)
@transaction.atomic
def delete_tag(request: ApiRequest, body: TagDeletionBody) -> TagChangeSchema:
    """Needs the permission for everything. Repeating it changes nothing."""
    return _change(request, body, lambda: delete_everywhere(body.name))


def _change(request: ApiRequest, body: TagDeletionBody, change: Callable[[], object]) -> TagChangeSchema:
    demand_within(request.person, Permission.MANAGE_GROUPS, EVERYTHING)
    line = catalogue.tag_line(body.name, to=request.person)
    found = (moves.preview if body.dry_run else moves.made)(change) if line else []
    numbers = line.numbers if line else {}
    return TagChangeSchema(
        **{f"{subject}s": numbers.get(subject, 0) for subject in ("terminal", "site", "device")},
        moves=[GroupMoveSchema(group=move.group.name, joins=move.joins, leaves=move.leaves) for move in found],
    )
