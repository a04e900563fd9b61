"""REST operations for the configuration: keys, values, versions, and what a terminal shall have."""

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import demand, demand_within, visible
from tms.accounts.audit import recorder
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.configuration import delivery, editing, keys, versions
from tms.configuration.change_rows import change_rows
from tms.configuration.changes import effects_of
from tms.configuration.checking import check, seen_errors
from tms.configuration.editing import UnfitValue
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, LayerValue, TerminalConfiguration
from tms.configuration.places import EDIT, find_place
from tms.configuration.schemas import (
    ChangeListSchema,
    ChangeSchema,
    ConfigurationKeyBody,
    ConfigurationKeyListSchema,
    ConfigurationKeySchema,
    EffectiveValueSchema,
    LayerValueSchema,
    NewConfigurationKeyBody,
    ReadyBody,
    SendBody,
    TerminalConfigurationSchema,
    UndoVersionBody,
    ValueBody,
    ValueListSchema,
    VersionPageSchema,
    VersionSchema,
)
from tms.configuration.terminal_values import effective_values
from tms.configuration.versions import REMOVED, HasErrors
from tms.fleet.models import Terminal
from tms.lib.pagination import Column, Keyset
from tms.rest_base.body_values import BodyValues
from tms.rest_base.etags import IF_MATCH, require_match, set_etag, version_of
from tms.rest_base.found_rows import find, named_in_body, unique
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter

router = ApiRouter("configuration")
CHANGED = "tms:configuration-changed"
DEFINING = Access(EDIT, is_idempotent=True)
EDITING = Access(EDIT, refusals=(409, 412, 428), headers=(IF_MATCH,))
SENDING = Access(Permission.RUN_ROLLOUTS, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("number", int, is_descending=True),))
SEND_WITHIN_S = 3_600.0


@router.get("/configuration/keys", summary="List configuration keys", response=ConfigurationKeyListSchema)
def list_configuration_keys(request: ApiRequest) -> ConfigurationKeyListSchema:
    """All of them, by name."""
    return ConfigurationKeyListSchema(items=[ConfigurationKeySchema.of(key) for key in ConfigurationKey.objects.all()])


@router.get("/configuration/keys/{str:name}", summary="Read a configuration key", response=ConfigurationKeySchema)
def read_configuration_key(request: ApiRequest, response: HttpResponse, name: str) -> ConfigurationKeySchema:
    """The `ETag` of the response is required to change it."""
    return _answer_key(response, _key(name))


@router.post(
    "/configuration/keys", summary="Define a key", response=ConfigurationKeySchema, status=201, access=DEFINING
)
def define_configuration_key(
    request: ApiRequest, response: HttpResponse, body: NewConfigurationKeyBody
) -> ConfigurationKeySchema:
    """Needs the permission everywhere. Terminals get a value as soon as a version with one is rolled out."""
    demand_within(request.person, EDIT, EVERYTHING)
    with BodyValues().reported(), unique("$.name", body.name):
        made = keys.define(body.name, body.values)
    response["Location"] = f"{request.path}/{made.name}"
    return _answer_key(response, made)


@router.put("/configuration/keys/{str:name}", summary="Change a key", response=ConfigurationKeySchema, access=EDITING)
@transaction.atomic
def change_configuration_key(
    request: ApiRequest, response: HttpResponse, name: str, body: ConfigurationKeyBody
) -> ConfigurationKeySchema:
    """409 if terminals would get or lose values without a version."""
    found = _key_to_change(request, name)
    with BodyValues().reported():
        return _answer_key(response, keys.change(found, body.values))


@router.delete("/configuration/keys/{str:name}", summary="Delete a key", response=None, status=204, access=EDITING)
@transaction.atomic
def delete_configuration_key(request: ApiRequest, name: str) -> None:
    """409 while a version that terminals have, or may get, gives it a value."""
    keys.delete(_key_to_change(request, name))


@router.get("/configuration/keys/{str:name}/values", summary="List the values of a key", response=ValueListSchema)
def list_configuration_values(request: ApiRequest, response: HttpResponse, name: str) -> ValueListSchema:
    """Values in force with the draft, as far as you see them; secrets are null. The `ETag` is needed to set one."""
    found = _values(request, _key(name))
    set_etag(response, _version_of_values(found))
    return found


@router.put(
    "/configuration/keys/{str:name}/values", summary="Set a value in the draft", response=VersionSchema, access=EDITING
)
@transaction.atomic
def set_configuration_value(request: ApiRequest, response: HttpResponse, name: str, body: ValueBody) -> VersionSchema:
    """Begins a draft if there is none. Needs the permission for the place. Nothing is sent to a terminal."""
    key = _key(name)
    require_match(request, _version_of_values(_values(request, key)), kind=CHANGED)
    place = find_place(body.layer, body.place, to=request.person)
    if place is None:
        raise unreadable(RequestFault("$.place", "unknown: use the name of a region or group, a code, or a UID"))
    try:
        value = REMOVED if body.is_removed else body.value
        made = editing.set_value(key, place, value, by=request.person, at=timezone.now())
    except UnfitValue as error:
        raise unreadable(RequestFault("$.value", str(error))) from None
    return _answer_version(response, made)


@router.get("/configuration/versions", summary="List configuration versions", response=VersionPageSchema)
def list_configuration_versions(
    request: ApiRequest, response: HttpResponse, query: Query[PageQuery]
) -> VersionPageSchema:
    """Newest first; the first may be a draft."""
    rows = ConfigurationVersion.objects.select_related("author", "undoes")
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return VersionPageSchema(items=[VersionSchema.of(version) for version in found.rows], next=found.next)


@router.get("/configuration/versions/{int:number}", summary="Read a version", response=VersionSchema)
def read_configuration_version(request: ApiRequest, response: HttpResponse, number: int) -> VersionSchema:
    """The `ETag` of a draft is required to make it ready or to discard it."""
    return _answer_version(response, _version(number))


@router.get("/configuration/versions/{int:number}/changes", summary="List the changes", response=ChangeListSchema)
def list_configuration_changes(request: ApiRequest, number: int) -> ChangeListSchema:
    """What you see of them, each with how many of the terminals that you see it reaches; errors of a draft."""
    version = _version(number)
    effects = effects_of(version, to=request.person)
    rows = change_rows(version, effects, to=request.person)
    errors = seen_errors(check(version).errors, to=request.person) if version.is_draft else []
    return ChangeListSchema(
        terminals=effects.number,
        items=[ChangeSchema.of(row) for row in rows],
        errors=[f"{error.key} {error.where}: {error.problem}".strip() for error in errors],
    )


@router.put(
    "/configuration/versions/{int:number}/ready", summary="Make a draft ready", response=VersionSchema, access=EDITING
)
@transaction.atomic
def make_configuration_ready(
    request: ApiRequest, response: HttpResponse, number: int, body: ReadyBody
) -> VersionSchema:
    """Needs the permission for everything that it changes. 422 if it has errors. From then on it does not change."""
    version = _draft_to_end(request, number)
    try:
        return _answer_version(
            response, versions.fix(version, by=request.person, at=timezone.now(), title=body.title, reason=body.reason)
        )
    except HasErrors as error:
        faults = [RequestFault("$", f"{one.key} {one.where}: {one.problem}") for one in error.errors[:20]]
        raise unreadable(*faults) from None


@router.delete(
    "/configuration/versions/{int:number}", summary="Discard a draft", response=None, status=204, access=EDITING
)
@transaction.atomic
def discard_configuration_draft(request: ApiRequest, number: int) -> None:
    """Needs the permission for everything that it changes."""
    versions.discard(_draft_to_end(request, number))


@router.post(
    "/configuration/versions/{int:number}/undo",
    summary="Undo a version",
    response=VersionSchema,
    status=201,
    access=DEFINING,
)
def undo_configuration_version(
    request: ApiRequest, response: HttpResponse, number: int, body: UndoVersionBody
) -> VersionSchema:
    """A new version that takes its changes back, without those that later versions changed again."""
    version = _version(number)
    editing.demand_changes(version, by=request.person)
    if version.is_draft:
        raise versions.NoDraft("it is a draft; discard it instead")
    made = versions.undo(version, by=request.person, at=timezone.now(), reason=body.reason)
    response["Location"] = made.get_absolute_url()
    return _answer_version(response, made)


@router.post(
    "/configuration/versions/{int:number}/send",
    summary="Send a version to one terminal",
    response=TerminalConfigurationSchema,
    access=SENDING,
)
@transaction.atomic
def send_configuration_version(request: ApiRequest, number: int, body: SendBody) -> TerminalConfigurationSchema:
    """A try: the others keep theirs. Many terminals get a version by a rollout."""
    version = _version(number)
    terminal = named_in_body(request, Terminal.objects.all(), "$.terminal", uid=body.terminal)
    demand(request.person, Permission.RUN_ROLLOUTS, terminal)
    if version.is_draft:
        raise unreadable(RequestFault("$", "a draft is not sent; make it ready first"))
    if not delivery.can_be_configured([terminal.pk]):
        raise unreadable(RequestFault("$.terminal", f"{terminal.uid} cannot be configured"))
    at = timezone.now()
    recorder.record("configured", terminal, {"version": (None, version.number)})
    differing = delivery.desire([terminal.pk], version, at=at)
    delivery.order(differing, by=request.person, at=at, deliver_within_s=SEND_WITHIN_S)
    return _terminal(terminal)


@router.get(
    "/terminals/{str:uid}/configuration",
    summary="Read the configuration of a terminal",
    response=TerminalConfigurationSchema,
)
def read_terminal_configuration(request: ApiRequest, response: HttpResponse, uid: str) -> TerminalConfigurationSchema:
    """The effective value of each key with the layer that it comes from, and what the terminal reported."""
    found = _terminal(find(request, Terminal.objects.all(), uid=uid))
    set_etag(response, version_of(found.model_dump_json()))
    return found


def _terminal(terminal: Terminal) -> TerminalConfigurationSchema:
    rows = TerminalConfiguration.objects.select_related("version", "applied_version")
    stored = rows.filter(pk=terminal.pk).first()
    values = [EffectiveValueSchema.of(row) for row in effective_values(terminal, stored)]
    return TerminalConfigurationSchema.of(terminal, stored, values)


def _key(name: str) -> ConfigurationKey:
    found = ConfigurationKey.objects.filter(name=name).first() if name.isprintable() else None
    if found is None:
        raise Http404
    return found


def _key_to_change(request: ApiRequest, name: str) -> ConfigurationKey:
    demand_within(request.person, EDIT, EVERYTHING)
    found = ConfigurationKey.objects.select_for_update().filter(name=_key(name).name).first()
    if found is None:
        raise Http404
    require_match(request, ConfigurationKeySchema.of(found).version, kind=CHANGED)
    return found


def _answer_key(response: HttpResponse, key: ConfigurationKey) -> ConfigurationKeySchema:
    found = ConfigurationKeySchema.of(key)
    set_etag(response, found.version)
    return found


def _values(request: ApiRequest, key: ConfigurationKey) -> ValueListSchema:
    rows = visible(LayerValue.objects.filter(key=key, until=None), to=request.person).order_by("layer", "pk")
    return ValueListSchema(items=LayerValueSchema.all_of(rows.select_related("since")))


def _version_of_values(found: ValueListSchema) -> int:
    return version_of(found.model_dump_json())


def _version(number: int) -> ConfigurationVersion:
    found = ConfigurationVersion.objects.select_related("author", "undoes").filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _draft_to_end(request: ApiRequest, number: int) -> ConfigurationVersion:
    version = _version(number)
    editing.demand_changes(version, by=request.person)
    require_match(request, _etag_of(version), kind=CHANGED)
    if not version.is_draft:
        raise versions.NoDraft("it is no draft any more")
    return version


def _answer_version(response: HttpResponse, version: ConfigurationVersion) -> VersionSchema:
    version.refresh_from_db()
    set_etag(response, _etag_of(version))
    return VersionSchema.of(version)


def _etag_of(version: ConfigurationVersion) -> int:
    return version_of(version.pk, version.number, version.state, version.edited_at)
