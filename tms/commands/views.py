"""Pages of the catalogue of commands: the list, one command with the form made from its schema, and its end."""

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.commands import catalogue, catalogue_lines, definitions
from tms.commands.argument_form import PREFIX, argument_form
from tms.commands.catalogue_lines import FILTERS
from tms.commands.definition_form import DefinitionForm
from tms.commands.definitions import CommandInUse, JobsWouldStop, TooManyDefinitions
from tms.commands.kinds import NO_ARGUMENTS, CommandSpec
from tms.commands.models import Command, CommandDefinition, CommandState
from tms.commands.schemas import CommandSpecSchema
from tms.commands.uses import uses_of
from tms.fleet.models import TerminalKind
from tms.lib.forms.saved import redirect_saved
from tms.protocol.text import clean

MAX_WORDS = 64
LANGUAGES = ("en", "ja")


@require_safe
@never_cache
@needs(Permission.SEND_COMMANDS)
def commands(request: AuthenticatedRequest) -> HttpResponse:
    """The catalogue. `q` finds names, arguments and models; `show` and `kind` filter."""
    lines = catalogue_lines.lines_for(request.user)
    show, kind = request.GET.get("show", ""), request.GET.get("kind", "")
    words = clean(request.GET.get("q", ""))[:MAX_WORDS].strip()
    found = [
        line
        for line in lines
        if line.matches(words)
        and (show not in FILTERS or FILTERS[show](line))
        and (kind not in TerminalKind.values or not line.spec.kinds or kind in line.spec.kinds)
    ]
    values = {
        "lines": found,
        "total": len(lines),
        "words": words,
        "kind": kind,
        "kinds": TerminalKind.choices,
        "show": show if show in FILTERS else "",
        "chips": [(name, label, sum(map(FILTERS[name], lines))) for name, label in _labels().items()],
    }
    return _render(request, "commands/commands.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.DEFINE_COMMANDS)
def new_command(request: AuthenticatedRequest) -> HttpResponse:
    access.demand_within(request.user, Permission.DEFINE_COMMANDS, EVERYTHING)
    return _edit(request, CommandDefinition())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.SEND_COMMANDS)
def command(request: AuthenticatedRequest, name: str) -> HttpResponse:
    """POST changes it. 422 with a question if open jobs would stop."""
    spec = catalogue.find(name)
    if spec is None:
        raise Http404
    if request.method != "POST" and (spec.is_builtin or not _may_define(request.user)):
        return _show(request, spec, None)
    with transaction.atomic():
        return _edit(request, _editable(request, name))


@require_POST
@never_cache
@needs(Permission.DEFINE_COMMANDS)
def preview_command(request: AuthenticatedRequest) -> HttpResponse:
    """The form that people would see, while somebody writes the schema and tries it."""
    access.demand_within(request.user, Permission.DEFINE_COMMANDS, EVERYTHING)
    form = DefinitionForm(request.POST, definition=CommandDefinition())
    form.full_clean()
    spec = CommandSpec("", "", arguments=form.cleaned_data.get("arguments", NO_ARGUMENTS))
    values = _preview(spec, request.POST) | {"schema_errors": form.errors.get("arguments")}
    return render(request, "commands/preview.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.DEFINE_COMMANDS)
def delete_command(request: AuthenticatedRequest, name: str) -> HttpResponse:
    """Ask first. 409 while a job needs it."""
    with transaction.atomic():
        definition = _editable(request, name)
        if request.method != "POST":
            return _ask_to_delete(request, definition)
        try:
            definitions.delete(definition)
        except CommandInUse:
            return _ask_to_delete(request, definition, status=HTTPStatus.CONFLICT)
    messages.success(request, gettext("Deleted"))
    return redirect("commands")


def _ask_to_delete(
    request: AuthenticatedRequest, definition: CommandDefinition, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    spec = catalogue.spec_of(definition)
    waiting = Command.objects.filter(name=spec.name, state=CommandState.QUEUED)
    values = {
        "spec": spec,
        "uses": uses_of(spec.name, to=request.user),
        "supported": catalogue_lines.supported_by([spec], request.user)[spec.name],
        "waiting": access.visible(waiting, to=request.user).count(),
    }
    return _render(request, "commands/delete.html", values, status=status)


def _edit(request: AuthenticatedRequest, definition: CommandDefinition) -> HttpResponse:
    spec = catalogue.spec_of(definition) if definition.pk else None
    version = CommandSpecSchema.of(spec).version if spec else ""
    data = request.POST if request.method == "POST" else None
    form = DefinitionForm(data, definition=definition, version=version)
    if data is None or not form.is_valid():
        return _show(request, spec, form)
    if spec and form.cleaned_data["version"] != str(version):
        return _show(request, spec, form, is_stale=True)
    try:
        saved = _save(definition, form, confirm=request.POST.get("confirm"))
    except JobsWouldStop as question:
        return _show(request, spec, form, stopped=question.number)
    except ValidationError as error:
        form.add_error(None, ValidationError([text for texts in error.message_dict.values() for text in texts]))
    except TooManyDefinitions:
        form.add_error(None, gettext("There are too many commands. Delete one first."))
    except IntegrityError:  # another person took the name at this moment
        form.add_error("name", gettext("Another command has this id. Choose a different one."))
    else:
        return redirect_saved(request, "command", saved.name)
    return _show(request, spec, form)


def _save(definition: CommandDefinition, form: DefinitionForm, *, confirm: str | None) -> CommandDefinition:
    if not definition.pk:
        return definitions.define(form.cleaned_data["name"], form.values)
    definitions.change(definition, form.values, confirm=confirm)
    return definition


def _show(
    request: AuthenticatedRequest, spec: CommandSpec | None, form: DefinitionForm | None, **notices: Any
) -> HttpResponse:
    values: dict[str, Any] = {"spec": spec, "form": form, **notices}
    if spec is not None:
        values |= {
            "supported": catalogue_lines.supported_by([spec], request.user)[spec.name],
            "uses": uses_of(spec.name, to=request.user),
            "usage": catalogue_lines.usage_of(spec.name, request.user),
            "definition": None if spec.is_builtin else CommandDefinition.objects.get(name=spec.name),
        }
    shown = spec or CommandSpec("", "")
    values |= _preview(shown, QueryDict())
    is_refused = form is not None and form.is_bound
    return _render(
        request,
        "commands/command.html",
        values,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK,
    )


def _preview(spec: CommandSpec, data: QueryDict) -> dict[str, Any]:
    """The form, bound as soon as somebody has entered something into it, and what REST would be sent."""
    language = data.get("language", "")
    language = language if language in LANGUAGES else get_language() or LANGUAGES[0]
    is_tried = any(name.startswith(f"{PREFIX}-") for name in data)
    with override(language):
        preview = argument_form(spec, data if is_tried else None)
        is_valid = preview.is_valid()
        preview.parts  # noqa: B018  (its titles are read in this language, and kept)
    example: Any = next(iter(spec.arguments.get("examples", [])), {})
    body = {"name": spec.name or data.get("name", ""), "args": preview.arguments if is_valid else example}
    return {"preview": preview, "language": language, "body": json.dumps(body, ensure_ascii=False, indent=2)}


def _labels() -> dict[str, str]:
    return {
        "builtin": gettext("Built in"),
        "own": gettext("Your own"),
        "dangerous": gettext("Dangerous"),
        "unsupported": gettext("Supported by none"),
        "unused": gettext("Never used"),
    }


def _may_define(person: User) -> bool:
    return access.may_within(person, Permission.DEFINE_COMMANDS, EVERYTHING)


def _editable(request: AuthenticatedRequest, name: str) -> CommandDefinition:
    """404 for a command of TMS, too: it cannot be changed."""
    access.demand_within(request.user, Permission.DEFINE_COMMANDS, EVERYTHING)
    rows = CommandDefinition.objects.select_for_update() if request.method == "POST" else CommandDefinition.objects
    found = rows.filter(name=name).first() if name.isprintable() else None
    if found is None:
        raise Http404
    return found


def _render(
    request: AuthenticatedRequest, template: str, values: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    values |= {"nav_item": "jobs", "may_define": _may_define(request.user)}
    return render(request, template, values, status=status)
