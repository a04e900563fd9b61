"""Requests that change the fleet: the action of the entry, the body, and what is done before."""

import base64
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.support.artifacts import make_artifact
from tests.support.factories import now
from tms.accounts.models import User
from tms.commands.catalogue import spec_of
from tms.commands.models import CommandDefinition
from tms.commands.schemas import CommandSpecSchema
from tms.configuration import delivery, versions
from tms.configuration.models import ConfigurationVersion
from tms.fleet.devices import placements
from tms.fleet.models import Device, DeviceState, Group, Site, Terminal, TerminalState, TerminalTag
from tms.fleet.sites import services as sites
from tms.fleet.terminals import lifecycle_changes
from tms.inspections.models import Inspection
from tms.jobs.models import Job, JobState
from tms.rollouts.models import Rollout, RolloutItem, RolloutItemState, RolloutState
from tms.transfer import running
from tms.transfer.models import Import

type Request = tuple[str, Mapping[str, Any] | Callable[[], Mapping[str, Any]], Callable[[], object]]

TYPED = {"type": "text", "subject": "terminal"}
DEFINITION = {"label": "Print a test page"}
DEFINITION_FORM = {
    "label": "Print it",
    "danger": "none",
    "answer_within_s": "30",
    "max_result_bytes": "4096",
    "uploads": "0",
    "max_file_bytes": "1000",
    "arguments": '{"type": "object"}',
}
JOB = {
    "command": "ping",
    "args_of": "ping",
    "name": "Nightly",
    "by": "query",
    "q": "kind:kiosk",
    "start": "now",
    "ends_after_s": "1 h",
    "hours": "any",
    "at_once": 40,
}
EDIT = {"all": "1", "q": "uid:T-1", "tags": "spring", "apply": "1", "seen": "1", "of": "tag spring"}
PUBLIC_KEY = base64.b64encode(Ed25519PrivateKey.from_private_bytes(b"n" * 32).public_key().public_bytes_raw()).decode()
ROLLOUT_FORM = {
    "kind": "artifact",
    "name": "Kiosk firmware 9",
    "by": "query",
    "q": "kind:kiosk",
    "late": "last_wave",
    "starts_at": "2096-11-25 09:00",
    "until": "2096-12-09 09:00",
    "hours": "closed",
    "at_once": 40,
    "per_site": 1,
    "approval": "none",
    "postpone_limit": 3,
    "postpone_s": "15 min",
    "postponed_then": "closing",
    "mobile_mb": 0,
    "measures": ["restarts"],
    "failed_pct": 2,
    "failed_after": 20,
    "wave_kind": ["rest"],
    "wave_size": [""],
    "wave_watch": [""],
}
COMMENT = {"comment": "Asked for by the site"}
WHY = {"reason": "Asked for by the site"}


READY = {"title": "Density", "reason": "too light"}


def nothing() -> None:
    return None


def parameter_sets() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("sets.csv", b"terminal,display.brightness\nT-1,60\n")}


def make_ready() -> None:
    versions.fix(ConfigurationVersion.objects.get(number=2), by=None, at=now())


def desire() -> None:
    chosen = Terminal.objects.filter(uid="T-1").values_list("pk", flat=True)
    delivery.desire(list(chosen), ConfigurationVersion.objects.get(number=1), at=now())


def close_site() -> None:
    sites.close_site(Site.objects.get(code="SJK"), device_becomes=DeviceState.SPARE, by=None, at=now())


def retire() -> None:
    chosen = Terminal.objects.filter(uid="T-1").values_list("pk", flat=True)
    lifecycle_changes.retire(list(chosen), device_becomes=DeviceState.SPARE, by=None, at=now())


def replace() -> None:
    spare = Device.objects.create(serial="K-8")
    placements.replace(
        Terminal.objects.get(uid="T-1"), spare, removed_becomes=DeviceState.SPARE, by=None, at=timezone.now()
    )


def forget() -> None:
    """Make it look as if it had never been connected."""
    TerminalState.objects.update(last_seen_at=None)


def elsewhere() -> dict[str, Any]:
    return {"terminals": [Terminal.objects.exclude(site__code="SJK").order_by("pk")[0].uid]}


def apply_edit() -> None:
    chosen = Import.objects.get(edit__isnull=False)
    running.start_applying(chosen, by=User.objects.get(pk=chosen.created_by_id), at=now())


def members() -> dict[str, Any]:
    return {"terminal": Group.objects.get(name="Lobby").terminals.values_list("pk", flat=True)[0]}


def pause() -> None:
    Job.objects.update(state=JobState.PAUSED)


def rollout() -> dict[str, Any]:
    return {"name": "Firmware", "artifacts": [make_artifact(version="9").pk], "query": "kind:kiosk"}


def in_state(state: RolloutState) -> Callable[[], object]:
    return lambda: Rollout.objects.update(state=state, started_at=now())


def somebody_elses() -> None:
    Rollout.objects.update(state=RolloutState.RUNNING, started_at=now(), started_by=None)


def failed() -> None:
    Rollout.objects.update(state=RolloutState.RUNNING)
    RolloutItem.objects.update(state=RolloutItemState.FAILED)


def contradicted() -> None:
    Rollout.objects.update(state=RolloutState.RUNNING)
    RolloutItem.objects.update(state=RolloutItemState.NEW_VERSION)


def rollout_form() -> dict[str, Any]:
    return ROLLOUT_FORM | {"artifact": make_artifact(version="9").pk}


def updated() -> None:
    """Its former version exists as an artifact, too."""
    chosen = Rollout.objects.get()
    in_state(RolloutState.RUNNING)()
    chosen.steps.create(artifact=make_artifact(version="9"))
    former = {"kiosk-firmware": make_artifact(version="8").version}
    RolloutItem.objects.update(state=RolloutItemState.DONE, version_before="8", former=former)


def changed_definition() -> dict[str, Any]:
    definition = CommandDefinition.objects.get()
    return DEFINITION_FORM | {"version": CommandSpecSchema.of(spec_of(definition)).version}


def tag() -> None:
    TerminalTag.objects.create(terminal=Terminal.objects.get(uid="T-1"), name="lobby")


def tampered() -> dict[str, Any]:
    empty = {"seals-TOTAL_FORMS": 0, "seals-INITIAL_FORMS": 0}
    return {"key": str(uuid4()), "result": "looks_tampered", "corrects": Inspection.objects.get().pk, **empty}


def correction() -> dict[str, Any]:
    return {"terminal": "T-1", "result": "looks_tampered", "corrects": Inspection.objects.get().pk}


PAGES: Mapping[str, Request] = {
    "/terminals/edit/<slug:edit>/": ("bulk-edited", EDIT, nothing),
    "/terminals/edits/<int:pk>/apply/": ("bulk-edited", COMMENT, nothing),
    "/terminals/edits/<int:pk>/undo/": ("bulk-edit-undone", {}, apply_edit),
    "/terminals/export/": ("exported", {"terminal": "T-1"}, nothing),
    "/groups/new/": ("created", {"name": "Night lanes"}, nothing),
    "/groups/<int:pk>/": ("changed", {"name": "Night lanes"}, nothing),
    "/groups/<int:pk>/members/": ("members-changed", {"terminals": "R-1"}, nothing),
    "/groups/<int:pk>/members/remove/": ("members-changed", members, nothing),
    "/groups/<int:pk>/delete/": ("deleted", {}, nothing),
    "/commands/new/": ("created", DEFINITION_FORM | {"name": "self_test"}, nothing),
    "/commands/<str:name>/": ("changed", changed_definition, nothing),
    "/commands/<str:name>/delete/": ("deleted", {}, nothing),
    "/labels/tag/rename/": ("tag-renamed", {"name": "lobby", "to": "foyer", "confirmed": "1"}, tag),
    "/labels/tag/delete/": ("tag-deleted", {"name": "lobby", "confirmed": "1"}, tag),
    "/labels/attributes/new/": ("created", {"name": "side", "label": "Side", **TYPED}, nothing),
    "/labels/attributes/<str:name>/": ("changed", {"name": "floor", "label": "Storey"}, nothing),
    "/labels/attributes/<str:name>/delete/": ("deleted", {}, nothing),
    "/labels/<str:subject>/<int:pk>/tags/": ("tags-changed", {"add": "night"}, nothing),
    "/labels/<str:subject>/<int:pk>/attributes/": ("attributes-changed", {"value-floor": "2"}, nothing),
    "/views/new/": ("created", {"name": "Gates", "query": "kind:gate", "owner": "everything"}, nothing),
    "/views/<int:pk>/": ("changed", {"name": "Gates", "owner": "everything"}, nothing),
    "/views/<int:pk>/save/": ("changed", {"q": "kind:gate"}, nothing),
    "/views/<int:pk>/delete/": ("deleted", {}, nothing),
    "/inspections/rounds/new/": (
        "round-started",
        {"name": "Q1", "where": "everything", "due_on": "2099-12-31", "every_days": 90},
        nothing,
    ),
    "/inspections/rounds/<int:pk>/close/": ("round-closed", COMMENT, nothing),
    "/inspections/<int:pk>/<str:uid>/": ("inspected", tampered, nothing),
    "/configuration/import/": ("values-changed", parameter_sets, nothing),
    "/configuration/keys/new/": ("created", {"name": "receipt.footer", "schema": "{}"}, nothing),
    "/configuration/keys/<str:name>/": ("values-changed", {"layer": "fleet", "value": "60"}, nothing),
    "/configuration/keys/<str:name>/edit/": ("changed", {"meaning": "percent", "schema": "{}"}, nothing),
    "/configuration/keys/<str:name>/delete/": ("deleted", {}, nothing),
    "/configuration/versions/<int:number>/ready/": ("made-ready", READY, nothing),
    "/configuration/versions/<int:number>/discard/": ("discarded", {}, nothing),
    "/configuration/versions/<int:number>/undo/": ("created", {}, make_ready),
    "/configuration/versions/<int:number>/send/": ("configured", {"terminal": "T-1"}, make_ready),
    "/terminals/<str:uid>/configuration/send/": ("configured", {}, desire),
    "/jobs/new/": ("created", JOB, nothing),
    "/jobs/<int:pk>/pause/": ("paused", {}, nothing),
    "/jobs/<int:pk>/resume/": ("resumed", {}, pause),
    "/jobs/<int:pk>/cancel/": ("cancelled", {}, nothing),
    "/artifacts/<int:pk>/withdraw/": ("withdrawn", WHY, nothing),
    "/artifacts/keys/": ("added", {"name": "next", "public_key": PUBLIC_KEY}, nothing),
    "/artifacts/keys/<int:pk>/remove/": ("removed", {}, nothing),
    "/rollouts/new/": ("created", rollout_form, nothing),
    "/rollouts/<int:pk>/start/": ("planned", {}, in_state(RolloutState.DRAFT)),
    "/rollouts/<int:pk>/discard/": ("deleted", {}, in_state(RolloutState.DRAFT)),
    "/rollouts/<int:pk>/pause/": ("paused", {}, in_state(RolloutState.RUNNING)),
    "/rollouts/<int:pk>/resume/": ("resumed", {}, in_state(RolloutState.PAUSED)),
    "/rollouts/<int:pk>/stop/": ("cancelled", COMMENT, in_state(RolloutState.RUNNING)),
    "/rollouts/<int:pk>/retry/": ("retried", {"state": "failed"}, failed),
    "/rollouts/<int:pk>/confirm/": ("confirmed", {}, contradicted),
    "/rollouts/<int:pk>/roll-back/": ("rolled_back", COMMENT, updated),
    "/rollouts/<int:pk>/waves/<int:number>/approve/": ("approved", COMMENT, somebody_elses),
}
OPERATIONS: Mapping[str, Request] = {
    "POST /api/v1/regions": ("created", {"name": "Kansai"}, nothing),
    "PATCH /api/v1/regions/{pk}": ("changed", {"name_ja": "九州"}, nothing),
    "DELETE /api/v1/regions/{pk}": ("deleted", {}, nothing),
    "POST /api/v1/sites": ("created", {"code": "NGO", "name": "Nagoya"}, nothing),
    "PATCH /api/v1/sites/{code}": ("changed", {"name": "Renamed"}, nothing),
    "POST /api/v1/sites/{code}/close": ("closed", COMMENT | {"confirm": 2}, nothing),
    "POST /api/v1/sites/{code}/reopen": ("reopened", COMMENT, close_site),
    "PUT /api/v1/sites/{code}/contacts": ("changed", {"contacts": [{"name": "Office"}]}, nothing),
    "POST /api/v1/sites/{code}/terminals": ("moved", elsewhere, nothing),
    "POST /api/v1/terminals": ("created", {"uid": "SJK-KSK-90", "site": "SJK"}, nothing),
    "PATCH /api/v1/terminals/{uid}": ("changed", {"label": "Lane 9"}, nothing),
    "DELETE /api/v1/terminals/{uid}": ("deleted", {}, forget),
    "POST /api/v1/terminals/{uid}/state": ("state-changed", {"lifecycle": "out_of_service"}, nothing),
    "POST /api/v1/terminals/{uid}/retire": ("state-changed", COMMENT | {"confirm": "T-1"}, nothing),
    "POST /api/v1/terminals/{uid}/bring-back": ("state-changed", COMMENT, retire),
    "POST /api/v1/terminals/{uid}/replace": ("device-replaced", {"serial": "K-9"}, nothing),
    "POST /api/v1/terminals/{uid}/replace/undo": ("replacement-undone", COMMENT, replace),
    "POST /api/v1/terminals/{uid}/swap": ("device-swapped", {"other": "R-1"}, nothing),
    "POST /api/v1/terminals/{uid}/keys": ("key-issued", {"expires_at": None}, nothing),
    "POST /api/v1/terminals/{uid}/keys/rotate": ("key-issued", {"overlap_s": 60}, nothing),
    "POST /api/v1/terminals/{uid}/keys/{pk}/revoke": ("key-revoked", {}, nothing),
    "POST /api/v1/groups": ("created", {"name": "Night lanes"}, nothing),
    "PATCH /api/v1/groups/{pk}": ("changed", {"name": "Night lanes"}, nothing),
    "DELETE /api/v1/groups/{pk}": ("deleted", {}, nothing),
    "POST /api/v1/groups/{pk}/members": ("members-changed", {"add": ["R-1"]}, nothing),
    "POST /api/v1/groups/{pk}/query": ("changed", {"query": "kind:kiosk"}, nothing),
    "POST /api/v1/views": ("created", {"name": "Gates", "shared": True}, nothing),
    "PATCH /api/v1/views/{pk}": ("changed", {"name": "Gates"}, nothing),
    "DELETE /api/v1/views/{pk}": ("deleted", {}, nothing),
    "POST /api/v1/labels": ("tags-changed", {"subject": "terminal", "rows": ["T-1"], "add": ["lobby"]}, nothing),
    "POST /api/v1/terminals/edits": (
        "bulk-edited",
        {"edit": "tag", "terminals": ["T-1"], "tags": ["spring"]},
        nothing,
    ),
    "POST /api/v1/terminals/edits/{pk}/undo": ("bulk-edit-undone", {}, apply_edit),
    "POST /api/v1/tags/rename": ("tag-renamed", {"name": "lobby", "to": "foyer"}, tag),
    "POST /api/v1/tags/delete": ("tag-deleted", {"name": "lobby"}, tag),
    "POST /api/v1/attributes": ("created", {"name": "side", "label": "Side"}, nothing),
    "PATCH /api/v1/attributes/{name}": ("changed", {"label": "Storey"}, nothing),
    "DELETE /api/v1/attributes/{name}": ("deleted", {}, nothing),
    "POST /api/v1/commands": ("created", DEFINITION | {"name": "self_test"}, nothing),
    "PUT /api/v1/commands/{name}": ("changed", DEFINITION | {"label": "Print"}, nothing),
    "DELETE /api/v1/commands/{name}": ("deleted", {}, nothing),
    "POST /api/v1/terminals/{uid}/commands": ("commanded", {"name": "ping"}, nothing),
    "POST /api/v1/configuration/keys": ("created", {"name": "receipt.footer"}, nothing),
    "PUT /api/v1/configuration/keys/{name}": ("changed", {"meaning": "percent"}, nothing),
    "DELETE /api/v1/configuration/keys/{name}": ("deleted", {}, nothing),
    "PUT /api/v1/configuration/keys/{name}/values": ("values-changed", {"layer": "fleet", "value": 60}, nothing),
    "PUT /api/v1/configuration/versions/{number}/ready": ("made-ready", READY, nothing),
    "DELETE /api/v1/configuration/versions/{number}": ("discarded", {}, nothing),
    "POST /api/v1/configuration/versions/{number}/undo": ("created", {"reason": "too dark"}, make_ready),
    "POST /api/v1/configuration/versions/{number}/send": ("configured", {"terminal": "T-1"}, make_ready),
    "POST /api/v1/jobs": ("created", {"name": "Nightly", "command": "ping", "terminals": ["T-1"]}, nothing),
    "POST /api/v1/jobs/{pk}/pause": ("paused", {}, nothing),
    "POST /api/v1/jobs/{pk}/resume": ("resumed", {}, pause),
    "POST /api/v1/jobs/{pk}/cancel": ("cancelled", {}, nothing),
    "POST /api/v1/artifacts/{pk}/withdraw": ("withdrawn", WHY, nothing),
    "POST /api/v1/signing-keys": ("added", {"name": "next", "public_key": PUBLIC_KEY}, nothing),
    "POST /api/v1/signing-keys/{pk}/remove": ("removed", {}, nothing),
    "POST /api/v1/rollouts": ("created", rollout, nothing),
    "POST /api/v1/rollouts/{pk}/pause": ("paused", {}, in_state(RolloutState.RUNNING)),
    "POST /api/v1/rollouts/{pk}/resume": ("resumed", {}, in_state(RolloutState.PAUSED)),
    "POST /api/v1/rollouts/{pk}/cancel": ("cancelled", WHY, in_state(RolloutState.RUNNING)),
    "POST /api/v1/rollouts/{pk}/continue": (
        "continued",
        {"reason": "chance", "confirm": 1},
        in_state(RolloutState.STOPPED),
    ),
    "POST /api/v1/rollouts/{pk}/retry": ("retried", {"state": "failed"}, failed),
    "POST /api/v1/rollouts/{pk}/confirm": ("confirmed", {}, contradicted),
    "POST /api/v1/rollouts/{pk}/roll-back": ("rolled_back", WHY, updated),
    "POST /api/v1/inspection-rounds/{pk}/inspections": ("inspected", correction, nothing),
    "POST /api/v1/devices": ("created", {"serial": "S-77"}, nothing),
    "PATCH /api/v1/devices/{pk}": ("changed", {"note": "In the cellar"}, nothing),
    "POST /api/v1/unexpected-devices/{pk}/confirm": ("device-confirmed", COMMENT, nothing),
    "POST /api/v1/unexpected-devices/{pk}/block": ("device-blocked", COMMENT, nothing),
    "POST /api/v1/enrolment-tokens": ("enrolment-token-made", {"site": "SJK"}, nothing),
    "POST /api/v1/enrolment-tokens/{pk}/withdraw": ("enrolment-token-withdrawn", {}, nothing),
}
