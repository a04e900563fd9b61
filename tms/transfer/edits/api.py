"""REST operations for bulk edits of terminals."""

from datetime import datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from pydantic import Field

from tms.accounts.access import demand
from tms.accounts.permissions import Permission
from tms.approvals.api import check
from tms.approvals.gate import Way
from tms.query.errors import QueryError
from tms.rest_base.body_values import MAX_NAMED
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import ProblemError, RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, RequestSchema, ResponseSchema
from tms.transfer import approvals, running
from tms.transfer.edits import planning
from tms.transfer.edits.consequences import consequences_of
from tms.transfer.edits.forms import MAX_QUERY
from tms.transfer.edits.planning import EditPlan, EditTarget, TooManyTerminals
from tms.transfer.kinds.edits import MAX_PICKED, Edit, EditKind, MemberChange, checked
from tms.transfer.kinds.facts import edit_of
from tms.transfer.models import Absence, Effect, Import, ImportNotPossible, ImportState
from tms.transfer.rows import FileRow

router = ApiRouter("fleet")
EDITING = Access(Permission.MANAGE_GROUPS, alternative=Permission.MANAGE_TERMINALS, is_idempotent=True)
SHOWN = 10
UNDO_REFUSED = "tms:cannot-undo"


class EditBody(RequestSchema):
    edit: EditKind
    query: str | None = Field(
        None, max_length=MAX_QUERY, examples=["kind:kiosk"], description="Without `state:`, terminals in service."
    )
    terminals: list[str] = Field([], max_length=MAX_PICKED, description="UIDs, instead of a query.")
    tags: list[str] = Field([], max_length=50, description="Of `tag` and `untag`.", examples=[["lobby"]])
    attribute: str = Field("", max_length=32, description="Of `attribute`: its name.")
    value: str = Field("", max_length=200, description="Of `attribute`; empty for no value.")
    group: Id | None = Field(None, description="Of `group`: the number of a static group.")
    change: MemberChange = Field(MemberChange.ADD, description="Of `group`.")
    lifecycle: str = Field("", max_length=16, description="Of `state`: `in_service`, `out_of_service`, `retired`.")
    site: str = Field("", max_length=8, description="Of `move`: the code.")
    comment: str = Field("", max_length=200, description="Kept in the audit trail.")
    dry_run: bool = Field(False, description="Change nothing, and say what would change.")
    confirm: str | None = Field(
        None, max_length=16, description="The number of terminals, where `tms:confirmation-needed` asks for it."
    )

    def checked(self, request: ApiRequest, at: datetime) -> Edit:
        """Raises ProblemError and Forbidden."""
        demand(request.person, self.edit.permission)
        copied = {
            name: getattr(self, name) for name in ("attribute", "value", "change", "lifecycle", "site", "comment")
        }
        edit = Edit(self.edit, tags=tuple(self.tags), group=self.group or 0, **copied)
        try:
            return checked(edit, by=request.person, at=at)
        except ValidationError as error:
            found = error.message_dict.items()
            raise unreadable(*(RequestFault(f"$.{field}", " ".join(messages)) for field, messages in found)) from None

    @property
    def target(self) -> EditTarget:
        if (self.query is None) == (not self.terminals):
            raise unreadable(RequestFault("$.query", "name either a query or terminals"))
        return EditTarget(self.query, self.terminals)


class LeftOutSchema(ResponseSchema):
    uid: str
    reason: str


class EditSchema(ResponseSchema):
    id: int | None = Field(description="Null if nothing was or would be changed.")
    edit: EditKind
    summary: str = Field(examples=["tag lobby"])
    query: str | None
    comment: str
    state: ImportState = Field(description="`applying` and `undoing` while it is worked on.")
    changed: int
    unchanged: int = Field(description="Terminals that are so already.")
    left_out: int = Field(description="Terminals that were not changed, for a reason each.")
    not_undone: int = Field(description="Terminals that somebody changed before the edit was undone.")
    first_left_out: list[LeftOutSchema] = Field(description=f"At most {SHOWN}.")
    consequences: list[str] = Field(description="What it means besides; in a dry run only.")
    undo_until: datetime | None

    @classmethod
    def of(cls, chosen: Import) -> Self:
        edit, part = edit_of(chosen), chosen.parts.filter(effect=Effect.REFUSED).order_by("number").first()
        refused = [FileRow.unpacked(packed) for packed in part.rows[:SHOWN]] if part else []
        return cls(
            id=chosen.pk,
            state=ImportState(chosen.state),
            changed=chosen.number(Effect.CHANGED),
            unchanged=chosen.number(Effect.UNCHANGED),
            left_out=chosen.number(Effect.REFUSED),
            not_undone=chosen.counts.get("kept", 0),
            first_left_out=_named(refused),
            consequences=[],
            undo_until=chosen.undo_until if chosen.state == ImportState.APPLIED else None,
            **_what(edit),
        )

    @classmethod
    def of_plan(cls, made: EditPlan, consequences: list[str]) -> Self:
        return cls(
            id=None,
            state=ImportState.CHECKED,
            changed=len(made.changed),
            unchanged=made.unchanged,
            left_out=len(made.refused),
            not_undone=0,
            first_left_out=_named(made.refused[:SHOWN]),
            consequences=consequences,
            undo_until=None,
            **_what(made.edit),
        )


def _what(edit: Edit) -> dict[str, Any]:
    return {"edit": edit.kind, "summary": edit.summary, "query": edit.query, "comment": edit.comment}


def _named(rows: list[FileRow]) -> list[LeftOutSchema]:
    return [LeftOutSchema(uid=row.name, reason=row.faults[0].text) for row in rows]


@router.post("/terminals/edits", summary="Edit many terminals", response=EditSchema, access=EDITING)
def edit_terminals(request: ApiRequest, body: EditBody) -> EditSchema:
    """One change to at most 50,000 terminals, in one transaction. What cannot be changed is left out, with its reason.

    Tags, attributes and groups need `fleet.manage_groups`, states and sites `fleet.manage_terminals`. More than 500
    terminals are changed within seconds after the response: poll `GET /terminals/edits/{pk}`. Repeating an edit changes
    nothing. Retiring or moving many terminals needs a second person.
    """
    at = timezone.now()
    made = _plan(request, body, at)
    if body.dry_run:
        return EditSchema.of_plan(made, list(consequences_of(made, to=request.person, at=at).lines))
    if not made.changed:
        return EditSchema.of_plan(made, [])
    chosen = planning.store(made, by=request.person, at=at)
    _apply(request, body, chosen, at)
    return EditSchema.of(Import.objects.get(pk=chosen.pk))


@router.get("/terminals/edits/{int:pk}", summary="Read an edit of many terminals", response=EditSchema)
def read_terminal_edit(request: ApiRequest, pk: int) -> EditSchema:
    """One of your own; with both permissions for everything, any."""
    return EditSchema.of(get_object_or_404(_edits(request), pk=pk))


@router.post(
    "/terminals/edits/{int:pk}/undo", summary="Undo an edit of many terminals", response=EditSchema, access=EDITING
)
def undo_terminal_edit(request: ApiRequest, pk: int) -> EditSchema:
    """Possible for 24 hours. Terminals that somebody changed since stay as they are."""
    chosen = get_object_or_404(_edits(request), pk=pk)
    demand(request.person, edit_of(chosen).kind.permission)
    try:
        running.start_undoing(chosen, by=request.person, at=timezone.now())
    except ImportNotPossible:
        raise ProblemError(409, UNDO_REFUSED, "it was undone already, is being applied, or 24 hours are over") from None
    return EditSchema.of(_edits(request).get(pk=pk))


def _edits(request: ApiRequest) -> QuerySet[Import]:
    return Import.objects.edits_of(request.person)


def _plan(request: ApiRequest, body: EditBody, at: datetime) -> EditPlan:
    edit, target = body.checked(request, at), body.target
    try:
        made = planning.plan(edit, target, by=request.person, at=at)
    except QueryError as error:
        raise unreadable(RequestFault("$.query", str(error))) from None
    except TooManyTerminals:
        text = f"more than {planning.MAX_TERMINALS:,} terminals match; add a condition"
        raise unreadable(RequestFault("$.query", text)) from None
    if unknown := sorted(set(target.uids) - {row.name for row in made.rows}):
        raise unreadable(RequestFault("$.terminals", f"unknown: {', '.join(unknown[:MAX_NAMED])}"))
    return made


def _apply(request: ApiRequest, body: EditBody, chosen: Import, at: datetime) -> None:
    """Raises ProblemError if a second person has to approve it, who is asked, or it must be confirmed."""
    by = request.person
    proposal = approvals.propose_import(chosen, Absence.KEEP, by=by, at=at)
    if proposal is None or proposal.way is Way.AT_ONCE:
        running.start_applying(chosen, by=by, at=at)
        return
    if proposal.needs_approval:
        approvals.ask(chosen, proposal, reason=body.comment, by=by, at=at)
    try:
        check(proposal, confirm=body.confirm, reason=body.comment, by=by, at=at)
    except ProblemError:
        if not proposal.needs_approval:
            chosen.delete()
        raise
    approvals.apply_alone(chosen, proposal, reason=body.comment, by=by, at=at)
