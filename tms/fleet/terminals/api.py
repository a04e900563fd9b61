"""REST operations to create, change, move, retire and delete terminals."""

from typing import Any, Literal

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from ninja import Schema
from pydantic import Field

from tms.accounts.access import demand, permitted
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.services import alone
from tms.fleet.devices.schemas import AfterRemoval
from tms.fleet.models import DeviceState, Lifecycle, Site, Terminal, TerminalKind
from tms.fleet.presence import store
from tms.fleet.router import router
from tms.fleet.schemas import TerminalSchema
from tms.fleet.terminal_rows import terminals_for
from tms.fleet.terminals import lifecycle_changes, services
from tms.fleet.terminals.retirement import MovePayload, RetirePayload
from tms.fleet.terminals.services import TerminalValues
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag
from tms.rest_base.found_rows import find, find_permitted, find_to_change, named_in_body, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.problems import ProblemError, RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema, change_of

CHANGED = "tms:terminal-changed"
MAX_MOVED = 1_000
MAKING = Access(Permission.MANAGE_TERMINALS, is_idempotent=True)
EDITING = Access(Permission.MANAGE_TERMINALS, refusals=(409, 412, 428), headers=(IF_MATCH,))


class TerminalFields(Schema):
    site: str = Field(max_length=8, description="Site code.", examples=["SJK"])
    kind: TerminalKind = TerminalKind.KIOSK
    label: str = Field("", max_length=100, description="Location.", examples=["Lane 3"])
    parent: str | None = Field(None, max_length=64, description="UID of the terminal that it is connected via.")


class TerminalBody(TerminalFields, RequestSchema):
    uid: str = Field(max_length=64, description="Letters, digits, `-` and `_`.", examples=["SJK-KSK-03"])


TerminalChange: Any = change_of(TerminalFields, "TerminalChange")


class TerminalStateBody(RequestSchema):
    lifecycle: Literal["in_service", "out_of_service"]
    comment: str = Field("", max_length=500)


class TerminalRetirementBody(RequestSchema):
    device_becomes: AfterRemoval = Field("spare", description="The state of its device.")
    comment: str = Field("", max_length=500)
    confirm: str | None = Field(
        None, max_length=64, description="The last part of its UID, where `tms:confirmation-needed` asks for it."
    )


class TerminalReturnBody(RequestSchema):
    comment: str = Field("", max_length=500)


class TerminalMoveBody(RequestSchema):
    terminals: list[str] = Field(min_length=1, max_length=MAX_MOVED, description="UIDs.")
    comment: str = Field("", max_length=500, description="For the second person, where one is needed.")
    confirm: str | None = Field(
        None, max_length=64, description="Number of terminals, or the last part of the UID of one, where asked for."
    )


class TerminalMoveSchema(ResponseSchema):
    moved: int = Field(description="Number of terminals that were at another site.")


@router.post("/terminals", summary="Create a terminal", response=TerminalSchema, status=201, access=MAKING)
def make_terminal(request: ApiRequest, response: HttpResponse, body: TerminalBody) -> TerminalSchema:
    """A planned terminal, without device and key: it is in service from its first report. Needs the permission for
    its site.
    """
    values = _values(request, body.model_dump(exclude={"uid"}), before=None)
    try:
        with unique("$.uid", body.uid):
            services.create_terminal(body.uid, values, at=timezone.now())
    except services.BadUid:
        detail = "must begin with a letter or digit, and have only letters, digits, `-` and `_`"
        raise unreadable(RequestFault("$.uid", detail)) from None
    response["Location"] = f"{request.path}/{body.uid}"
    return _answer(request, response, body.uid)


@router.patch("/terminals/{uid}", summary="Change a terminal", response=TerminalSchema, access=EDITING)
@transaction.atomic
def change_terminal(request: ApiRequest, response: HttpResponse, uid: str, body: TerminalChange) -> TerminalSchema:
    """Omitted fields stay unchanged. Another site moves it, which needs the permission for both. The last working lane
    of an open site is moved with `POST /sites/{code}/terminals`, which asks a second person.
    """
    terminal, shown = _editable(request, uid)
    before = {"site": terminal.site.code, "kind": terminal.kind, "label": terminal.label, "parent": shown.parent}
    changes = body.model_dump(exclude_unset=True)
    values = _values(request, before | changes, before=terminal, keeps_parent="parent" not in changes)
    services.edit_terminal(terminal, values, by=request.person, at=timezone.now())
    return _answer(request, response, uid)


@router.delete("/terminals/{uid}", summary="Delete a terminal", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_terminal(request: ApiRequest, uid: str) -> None:
    """Only one that was never connected; others are retired."""
    store.lock([_terminal(request, uid).pk])
    terminal, _ = _editable(request, uid)
    services.delete_terminal(terminal)


@router.post(
    "/terminals/{uid}/state", summary="Put a terminal in or out of service", response=TerminalSchema, access=MAKING
)
@transaction.atomic
def change_terminal_state(
    request: ApiRequest, response: HttpResponse, uid: str, body: TerminalStateBody
) -> TerminalSchema:
    """A terminal out of service opens no alerts, and is not counted. Repeating it changes nothing."""
    terminal = _terminal(request, uid)
    lifecycle_changes.change_state(
        [terminal.pk], Lifecycle(body.lifecycle), by=request.person, at=timezone.now(), comment=body.comment
    )
    return _answer(request, response, uid)


@router.post("/terminals/{uid}/retire", summary="Retire a terminal", response=TerminalSchema, access=MAKING)
def retire_terminal(
    request: ApiRequest, response: HttpResponse, uid: str, body: TerminalRetirementBody
) -> TerminalSchema:
    """Revokes its keys, closes its link and frees its device. Its history stays. The last working lane of an open site
    needs a second person. Repeating it changes nothing.
    """
    terminal, by, at = _terminal(request, uid), request.person, timezone.now()
    becomes = DeviceState(body.device_becomes)
    proposal = propose(Act.RETIRE, RetirePayload((terminal.pk,), becomes, body.comment), by=by, at=at)
    check(proposal, confirm=body.confirm, reason=body.comment, by=by, at=at)
    with alone(proposal, reason=body.comment, by=by):
        lifecycle_changes.retire([terminal.pk], device_becomes=becomes, by=by, at=at, comment=body.comment)
    return _answer(request, response, uid)


@router.post("/terminals/{uid}/bring-back", summary="Bring a terminal back", response=TerminalSchema, access=MAKING)
@transaction.atomic
def bring_terminal_back(
    request: ApiRequest, response: HttpResponse, uid: str, body: TerminalReturnBody
) -> TerminalSchema:
    """Undoes within 30 days that it was retired. Its device and keys return, unless the device serves elsewhere."""
    terminal = _terminal(request, uid)
    if terminal.lifecycle == Lifecycle.RETIRED:
        _open(terminal.site)
        lifecycle_changes.bring_back([terminal.pk], by=request.person, at=timezone.now(), comment=body.comment)
    return _answer(request, response, uid)


@router.post("/sites/{code}/terminals", summary="Move terminals to a site", response=TerminalMoveSchema, access=MAKING)
def move_terminals(request: ApiRequest, code: str, body: TerminalMoveBody) -> TerminalMoveSchema:
    """All or none. Needs the permission for the terminals and for the site. Many of them, or the last working lane of a
    site that is open, need a second person. The past stays with the site of then.
    """
    site = _open(find_permitted(request, Site.objects.all(), Permission.MANAGE_TERMINALS, code=code))
    by, at, named = request.person, timezone.now(), BodyValues()
    rows = permitted(Terminal.objects.all(), by=by, permission=Permission.MANAGE_TERMINALS)
    found = named.rows(rows, "uid", body.terminals, "$.terminals")
    with named.reported():
        moving = tuple(sorted(row.pk for row in found if row.site_id != site.pk))
    proposal = propose(Act.MOVE, MovePayload(moving, site.pk), by=by, at=at)
    check(proposal, confirm=body.confirm, reason=body.comment, by=by, at=at)
    with alone(proposal, reason=body.comment, by=by):
        _open(find_to_change(request, Site.objects.all(), Permission.MANAGE_TERMINALS, code=code))
        moved = services.move_terminals(moving, to=site, by=by, at=at)
    return TerminalMoveSchema(moved=moved)


def _terminal(request: ApiRequest, uid: str) -> Terminal:
    """Not locked: the services lock its link state first."""
    return find_permitted(request, Terminal.objects.select_related("site"), Permission.MANAGE_TERMINALS, uid=uid)


def _editable(request: ApiRequest, uid: str) -> tuple[Terminal, TerminalSchema]:
    """A terminal, and what the person sees of it, if that is what they have read."""
    terminal = find_to_change(request, Terminal.objects.all(), Permission.MANAGE_TERMINALS, uid=uid)
    shown = TerminalSchema.of(find(request, terminals_for(request.person), uid=uid))
    require_match(request, shown.version, kind=CHANGED)
    return terminal, shown


def _values(
    request: ApiRequest, fields: dict[str, Any], *, before: Terminal | None, keeps_parent: bool = False
) -> TerminalValues:
    """`before`: the stored terminal. Its parent stays if the body names none, also one that the person does not see."""
    at_same_site = before is not None and before.site.code == fields["site"]
    site = before.site if before is not None and at_same_site else _site(request, fields["site"])
    if keeps_parent and before is not None:
        parent = before.parent
    else:
        uid = fields["parent"]
        parent = named_in_body(request, Terminal.objects.all(), "$.parent", uid=uid) if uid else None
    return TerminalValues(site, TerminalKind(fields["kind"]), fields["label"], parent)


def _site(request: ApiRequest, code: str) -> Site:
    """An open site for which the person has the permission. Raises ProblemError and Forbidden."""
    site = named_in_body(request, Site.objects.all(), "$.site", code=code)
    demand(request.person, Permission.MANAGE_TERMINALS, site)
    return _open(site)


def _open(site: Site) -> Site:
    if site.closed_at is not None:
        raise ProblemError(409, "tms:site-closed", f"{site.code} is closed; reopen it first")
    return site


def _answer(request: ApiRequest, response: HttpResponse, uid: str) -> TerminalSchema:
    shown = TerminalSchema.of(find(request, terminals_for(request.person), uid=uid))
    set_etag(response, shown.version)
    return shown
