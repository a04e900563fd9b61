"""REST operations for the catalogue of commands, and for commands to a terminal."""

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import demand, demand_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.services import alone
from tms.commands import catalogue, catalogue_lines, definitions, services
from tms.commands.approvals import CommandPayload
from tms.commands.kinds import CATALOG
from tms.commands.models import Command, CommandDefinition, CommandState
from tms.commands.schemas import (
    CatalogueQuery,
    CatalogueSchema,
    ChangedDefinitionBody,
    CommandBody,
    CommandPageSchema,
    CommandSchema,
    CommandSpecSchema,
    CommandUsageSchema,
    NewDefinitionBody,
)
from tms.commands.services import CommandRefused
from tms.commands.uses import uses_of
from tms.fleet.models import Terminal
from tms.lib.pagination import Column, Keyset
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag
from tms.rest_base.found_rows import find, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import ProblemError, RequestFault, unreadable
from tms.rest_base.router import ApiRouter

router = ApiRouter("commands")
CHANGED = "tms:command-changed"
DEFINING = Access(Permission.DEFINE_COMMANDS, is_idempotent=True)
EDITING = Access(Permission.DEFINE_COMMANDS, refusals=(409, 412, 428), headers=(IF_MATCH,))
SENDING = Access(Permission.SEND_COMMANDS, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))


@router.get("/commands", summary="List the catalogue of commands", response=CatalogueSchema)
def list_commands(request: ApiRequest, query: Query[CatalogueQuery]) -> CatalogueSchema:
    """The commands of TMS, then those that were defined here. With `terminal`, those that it is offered."""
    if not query.terminal:
        return CatalogueSchema(items=[CommandSpecSchema.of(spec) for spec in catalogue.everything()])
    terminal = visible(Terminal.objects.filter(uid=query.terminal), to=request.person).first()
    if terminal is None:
        raise unreadable(RequestFault("terminal", "no terminal that you see has this UID"))
    return CatalogueSchema(items=[CommandSpecSchema.of(spec) for spec in catalogue.offered(terminal)])


@router.get("/commands/{str:name}", summary="Read a command of the catalogue", response=CommandSpecSchema)
def read_command(request: ApiRequest, response: HttpResponse, name: str) -> CommandSpecSchema:
    """The `ETag` of the response is required to change the command."""
    spec = catalogue.find(name)
    if spec is None:
        raise Http404
    found = CommandSpecSchema.of(spec)
    set_etag(response, found.version)
    return found


@router.get("/commands/{str:name}/usage", summary="Read how a command is used", response=CommandUsageSchema)
def read_command_usage(request: ApiRequest, name: str) -> CommandUsageSchema:
    """How many terminals that you see are offered it, how its latest 1,000 commands ended at them, when it was last
    sent anywhere, and how many open jobs send it.
    """
    spec = catalogue.find(name)
    if spec is None:
        raise Http404
    usage = catalogue_lines.usage_of(name, request.person)
    return CommandUsageSchema(
        terminals=catalogue_lines.supported_by([spec], request.person)[name],
        open_jobs=len(uses_of(name)),
        last_used_at=usage.last_used_at,
        results={state: usage.results[state] for state in CommandState},
    )


@router.post("/commands", summary="Define a command", response=CommandSpecSchema, status=201, access=DEFINING)
def define_command(request: ApiRequest, response: HttpResponse, body: NewDefinitionBody) -> CommandSpecSchema:
    """Terminals that name it at their next boot are offered it. At most 200 can be defined."""
    demand_within(request.person, Permission.DEFINE_COMMANDS, EVERYTHING)
    with BodyValues().reported(), unique("$.name", body.name):
        made = definitions.define(body.name, body.values)
    response["Location"] = f"{request.path}/{made.name}"
    return _answer(response, made)


@router.put("/commands/{str:name}", summary="Change a command", response=CommandSpecSchema, access=EDITING)
@transaction.atomic
def change_command(
    request: ApiRequest, response: HttpResponse, name: str, body: ChangedDefinitionBody
) -> CommandSpecSchema:
    """Commands that wait stay as they are. 409 with `tms:confirmation-needed` if open jobs would stop."""
    definition = _editable(request, name)
    try:
        with BodyValues().reported():
            definitions.change(definition, body.values, confirm=body.confirm)
    except definitions.JobsWouldStop as question:
        raise ProblemError(409, "tms:confirmation-needed", str(question)) from None
    return _answer(response, definition)


@router.delete("/commands/{str:name}", summary="Delete a command", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_command(request: ApiRequest, name: str) -> None:
    """Commands that wait stay. 409 while a job that is planned or going on sends it."""
    try:
        definitions.delete(_editable(request, name))
    except definitions.CommandInUse as error:
        raise ProblemError(409, error.code, str(error)) from None


@router.get("/terminals/{str:uid}/commands", summary="List the commands of a terminal", response=CommandPageSchema)
def list_terminal_commands(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[PageQuery]
) -> CommandPageSchema:
    """Newest first, with their results."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(Command.objects.filter(terminal=terminal).with_labels(), to=request.person)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return CommandPageSchema(items=[CommandSchema.of(command) for command in found.rows], next=found.next)


@router.post(
    "/terminals/{str:uid}/commands", summary="Send a command", response=CommandSchema, status=201, access=SENDING
)
def send_command(request: ApiRequest, uid: str, body: CommandBody) -> CommandSchema:
    """It is sent at once if the terminal is connected, otherwise when it returns in time. 422 names the argument that
    is wrong. A dangerous command needs `accounts.send_dangerous_commands`.
    """
    terminal, at = find(request, Terminal.objects.all(), uid=uid), timezone.now()
    try:
        spec = services.check(body.name, body.args)
        demand(request.person, spec.permission, terminal)
        values = {
            **body.model_dump(include={"name", "args", "deliver_within_s", "reason"}),
            "answer_within_s": body.answer_within_s or spec.answer_within_s,
        }
        if not spec.is_dangerous:
            return _answer_queued(services.queue(terminal, by=request.person, at=at, **values))
        proposal = propose(Act.COMMAND, CommandPayload(terminal=terminal.pk, **values), by=request.person, at=at)
        check(proposal, confirm=body.confirm, reason=body.reason, by=request.person, at=at)
        with alone(proposal, reason=body.reason, by=request.person):
            return _answer_queued(services.queue(terminal, by=request.person, at=at, **values))
    except CommandRefused as error:
        raise unreadable(RequestFault(error.where, str(error))) from None


def _answer_queued(command: Command) -> CommandSchema:
    return CommandSchema.of(Command.objects.with_labels().get(pk=command.pk))


def _editable(request: ApiRequest, name: str) -> CommandDefinition:
    demand_within(request.person, Permission.DEFINE_COMMANDS, EVERYTHING)
    if name in CATALOG:
        raise ProblemError(409, "tms:built-in", f"{name} is a command of TMS; only defined commands can be changed")
    found = CommandDefinition.objects.select_for_update().filter(name=name).first()
    if found is None:
        raise Http404
    require_match(request, CommandSpecSchema.of(catalogue.spec_of(found)).version, kind=CHANGED)
    return found


def _answer(response: HttpResponse, definition: CommandDefinition) -> CommandSpecSchema:
    found = CommandSpecSchema.of(catalogue.spec_of(definition))
    set_etag(response, found.version)
    return found
