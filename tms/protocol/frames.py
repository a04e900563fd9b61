"""The params of each method, as typed structs. Unknown fields are ignored, wrong types are rejected."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from tms.protocol import limits

type Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_LENGTH)]
type OptionalName = Annotated[str, Meta(max_length=limits.NAME_LENGTH)]
type Text = Annotated[str, Meta(max_length=limits.TEXT_LENGTH)]
# `$` alone accepts a trailing newline in Python, and `\Z` is unknown to JSON Schema; `$(?!\n)` means the end in both.
type MetricName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.]{0,63}$(?!\n)")]
type EventCode = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$(?!\n)")]
type Seq = Annotated[int, Meta(ge=0, le=limits.SEQ_MAX)]
type Instant = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with an offset, for example `2026-11-25T09:30:00+09:00`."""
type OptionalInstant = Instant | None
"""An instant; None if the terminal does not know it, because its clock was never set. Only in late reports."""
type Metrics = Annotated[dict[MetricName, float], Meta(max_length=limits.METRICS_PER_REPORT)]
type Status = Literal["ok", "degraded", "fault"]
type Severity = Literal["critical", "warning", "info"]
type GoodbyeReason = Literal["reboot", "update", "closing", "shutdown"]
type RequestId = (
    Annotated[int, Meta(ge=-limits.SEQ_MAX, le=limits.SEQ_MAX)] | Annotated[str, Meta(max_length=limits.NAME_LENGTH)]
)
"""JSON-RPC sets no limits; an id is echoed, so it must be short and fit every JSON implementation."""


class TerminalEvent(Struct, frozen=True, gc=False):
    """An event on a terminal at one instant."""

    at: OptionalInstant
    code: EventCode
    severity: Severity = "info"
    text: Text = ""


class FullState(Struct, frozen=True):
    """The whole current state of a terminal; sent with boot."""

    status: Status | UnsetType = UNSET
    metrics: Metrics | UnsetType = UNSET


# Terminal to server


class BootFrame(Struct, frozen=True):
    """First frame on a link. `boot_id` is new at each start of the terminal's software, `last_seq` the highest used."""

    boot_id: Name
    uptime_s: Annotated[float, Meta(ge=0)] = 0.0
    serial: OptionalName = ""
    model: OptionalName = ""
    firmware: OptionalName = ""
    agent: OptionalName = ""
    capabilities: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    last_seq: Seq = 0
    full: FullState = FullState()
    features: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    """The parts of this protocol beyond the basics that the terminal understands: `config`, `update`."""
    capability_versions: Annotated[dict[Name, Annotated[int, Meta(ge=1, le=limits.SEQ_MAX)]], Meta(max_length=64)] = {}
    """Versions of those commands that are no longer the first."""
    software: Annotated[dict[Name, Name], Meta(max_length=limits.SOFTWARE)] = {}
    """The versions of what is installed beside the firmware, by name."""
    config_version: Seq | UnsetType = UNSET
    """The version of the configuration that is applied, 0 for none; without it the terminal cannot be configured."""
    unchecked_dates: bool = False
    """Whether the clock was impossible, so that the dates of TMS's certificate were not checked."""


class HeartbeatFrame(Struct, frozen=True):
    """The terminal is alive and has nothing to report."""


class ReportFrame(Struct, frozen=True, gc=False):
    """State and readings of one instant. `seq` rises by one per report of a boot, and a terminal sends in the order of
    `seq`.

    `late` marks backfill: it fills history, never the present. `boot_id` names an earlier boot if a report outlived a
    restart of the agent; by default it is the current one.
    """

    seq: Seq
    at: OptionalInstant
    status: Status | UnsetType = UNSET
    metrics: Metrics | UnsetType = UNSET
    events: Annotated[tuple[TerminalEvent, ...], Meta(max_length=limits.EVENTS_PER_REPORT)] = ()
    late: bool = False
    boot_id: Name | UnsetType = UNSET


class GoodbyeFrame(Struct, frozen=True):
    """The terminal will disconnect, until `back_at` if given."""

    reason: GoodbyeReason
    back_at: Instant | UnsetType = UNSET


class ProgressFrame(Struct, frozen=True):
    """How far a request is. Only for a TMS with the feature `progress`, and at most once a second for each request."""

    id: RequestId
    percent: Annotated[float, Meta(ge=0, le=100)] | UnsetType = UNSET
    text: Text = ""


# Server to terminal


class Limits(Struct, frozen=True):
    frame_bytes: int = limits.FRAME_BYTES
    frames_per_minute: int = limits.FRAMES_PER_MINUTE
    frames_burst: int = limits.FRAMES_BURST
    reports_per_batch: int = limits.REPORTS_PER_BATCH


class BootResult(Struct, frozen=True):
    """Result of `boot`. `acked_seq` is the highest committed report of this boot, 0 for none."""

    session: int
    heartbeat_s: float
    server_time: Instant
    acked_seq: int = 0
    config_version: int = 0
    limits: Limits = Limits()
    accepts_undated: bool = False
    """Whether a late report may have `at: null`. An older TMS rejects it, so such reports wait for a newer one."""
    features: tuple[str, ...] = ()
    """The parts of this protocol beyond the basics that TMS understands."""


class AckFrame(Struct, frozen=True, omit_defaults=True):
    """Every report up to `seq` that was sent on this link is committed. `boot_id` only for an earlier boot."""

    seq: int
    boot_id: str | UnsetType = UNSET


class UploadOffer(Struct, frozen=True):
    """Where the terminal may upload one file of the command: with tus 1.0.0 (tus.io), and its credential.

    POST at `path` of this host announces the file, PATCH there appends at most `part_bytes` at a time. The address is
    for one file, and ends with the command.
    """

    path: str
    max_bytes: int
    part_bytes: int
    media_types: tuple[str, ...]


class CommandFrame(Struct, frozen=True):
    """A request to the terminal, which must answer before `deadline`; otherwise the command has failed."""

    name: Name
    args: dict[str, Any]
    deadline: Instant
    uploads: tuple[UploadOffer, ...] | UnsetType = UNSET
    """Only of commands with files: one for each file that the terminal may upload."""


class AnsweredFrame(Struct, frozen=True):
    """The answer to this request is committed. The terminal keeps it until then, and sends it again on a new link."""

    id: RequestId


class ConfigFrame(Struct, frozen=True):
    """The configuration that the terminal shall have. It answers when it is applied, or why it is not."""

    version: Seq
    values: dict[str, Any]
    """Their JSON has at most `CONFIG_BYTES`."""
    deadline: Instant


class ManifestSignature(Struct, frozen=True):
    key: Name
    signature: str
    """Ed25519, in Base64."""


class UpdateFrame(Struct, frozen=True):
    """Software that the terminal shall install. It answers when it is installed, or why it is not.

    Who has the server cannot forge an update: the terminal checks the signature over the exact text of `manifest`.
    """

    manifest: str
    signatures: tuple[ManifestSignature, ...]
    url: str
    """Where to download it: a path of this host, or an HTTPS address that needs no credential."""
    deadline: Instant
    max_bytes_s: Annotated[float, Meta(gt=0)] | UnsetType = UNSET


class DrainFrame(Struct, frozen=True):
    """This node stops: close, then reconnect after `reconnect_after_s` and a random part of `spread_s`."""

    reconnect_after_s: float
    spread_s: float


def schema() -> dict[str, Any]:
    """JSON Schema of every frame's params, for the AsyncAPI document."""
    sent = (BootFrame, HeartbeatFrame, ReportFrame, ProgressFrame, GoodbyeFrame)
    received = (BootResult, AckFrame, CommandFrame, AnsweredFrame, ConfigFrame, UpdateFrame, DrainFrame)
    _, components = msgspec.json.schema_components((*sent, *received), ref_template="#/components/schemas/{name}")
    return components
