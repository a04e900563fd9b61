"""The params of each method. A member that is None is not sent, except for an unknown instant, which is null."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from tms_agent.protocol import limits
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.instants import format_instant
from tms_agent.protocol.reader import Reader

Status = Literal["ok", "degraded", "fault"]
Severity = Literal["critical", "warning", "info"]
GoodbyeReason = Literal["reboot", "update", "closing", "shutdown"]
RequestId = int | str


# Terminal to server


@dataclass(frozen=True, slots=True)
class TerminalEvent:
    """An event on a terminal at one instant."""

    at: datetime | None
    code: str
    severity: Severity = "info"
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"at": _optional(self.at), "code": self.code, "severity": self.severity, "text": self.text}

    @classmethod
    def read(cls, given: Reader) -> "TerminalEvent":
        severity = given.choice("severity", get_args(Severity))
        return cls(_instant_or_null(given, "at"), given.string("code"), severity, given.string("text"))


@dataclass(frozen=True, slots=True)
class FullState:
    """The whole current state of a terminal; sent with boot."""

    status: Status | None = None
    metrics: Mapping[str, float] | None = None

    def as_json(self) -> dict[str, Any]:
        return _present(status=self.status, metrics=self.metrics)


@dataclass(frozen=True, slots=True)
class BootFrame:
    """First frame on a link. `boot_id` is new at each start of the terminal's software, `last_seq` the highest used."""

    boot_id: str
    uptime_s: float = 0.0
    serial: str = ""
    model: str = ""
    firmware: str = ""
    agent: str = ""
    capabilities: Sequence[str] = ()
    last_seq: int = 0
    full: FullState = FullState()
    features: Sequence[str] = ()
    """The parts of the protocol beyond the basics that this agent understands."""
    capability_versions: Mapping[str, int] = field(default_factory=dict)
    """Versions of those commands that are no longer the first."""
    software: Mapping[str, str] = field(default_factory=dict)
    """The versions of what is installed beside the firmware, by name."""
    config_version: int | None = None
    """The version of the configuration that is applied, 0 for none; None if it cannot be configured."""
    unchecked_dates: bool = False
    """Whether the clock was impossible, so that the dates of TMS's certificate were not checked."""

    def as_json(self) -> dict[str, Any]:
        return {
            "boot_id": self.boot_id,
            "uptime_s": self.uptime_s,
            "serial": self.serial,
            "model": self.model,
            "firmware": self.firmware,
            "agent": self.agent,
            "capabilities": list(self.capabilities),
            "last_seq": self.last_seq,
            "full": self.full.as_json(),
            "features": list(self.features),
            "capability_versions": dict(self.capability_versions),
            "software": dict(self.software),
            **_present(config_version=self.config_version),
            "unchecked_dates": self.unchecked_dates,
        }


@dataclass(frozen=True, slots=True)
class ReportFrame:
    """State and readings of one instant. `seq` rises by one per report of a boot, and a terminal sends in the order of
    `seq`.

    `late` marks backfill. `boot_id` names an earlier boot if a report outlived a restart of the agent; by default it
    is the current one. `at` is None, in late reports only, if the clock was never set.
    """

    seq: int
    at: datetime | None
    status: Status | None = None
    metrics: Mapping[str, float] | None = None
    events: tuple[TerminalEvent, ...] = ()
    late: bool = False
    boot_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "at": _optional(self.at),
            **_present(status=self.status, metrics=self.metrics),
            "events": [event.as_json() for event in self.events],
            "late": self.late,
            **_present(boot_id=self.boot_id),
        }

    @classmethod
    def read(cls, given: Reader) -> "ReportFrame":
        return cls(
            given.integer("seq"),
            _instant_or_null(given, "at"),
            given.choice("status", get_args(Status)) if "status" in given else None,
            given.members("metrics") if "metrics" in given else None,
            tuple(TerminalEvent.read(event) for event in given.items("events")),
            given.boolean("late", default=False),
            given.string("boot_id") if "boot_id" in given else None,
        )


@dataclass(frozen=True, slots=True)
class GoodbyeFrame:
    """The terminal will disconnect, until `back_at` if given."""

    reason: GoodbyeReason
    back_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {"reason": self.reason, **_present(back_at=_optional(self.back_at))}


@dataclass(frozen=True, slots=True)
class ProgressFrame:
    """How far a request is. Only for a TMS with the feature `progress`."""

    id: RequestId
    percent: float | None = None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, **_present(percent=self.percent), "text": self.text}


# Server to terminal


@dataclass(frozen=True, slots=True)
class Limits:
    frame_bytes: int = limits.FRAME_BYTES
    frames_per_minute: int = limits.FRAMES_PER_MINUTE
    frames_burst: int = limits.FRAMES_BURST
    reports_per_batch: int = limits.REPORTS_PER_BATCH

    @classmethod
    def read(cls, given: Reader) -> "Limits":
        return cls(
            given.integer("frame_bytes", limits.FRAME_BYTES),
            given.integer("frames_per_minute", limits.FRAMES_PER_MINUTE),
            given.integer("frames_burst", limits.FRAMES_BURST),
            given.integer("reports_per_batch", limits.REPORTS_PER_BATCH),
        )


@dataclass(frozen=True, slots=True)
class BootResult:
    """Result of `boot`. `acked_seq` is the highest committed report of this boot, 0 for none."""

    session: int
    heartbeat_s: float
    server_time: datetime
    acked_seq: int = 0
    limits: Limits = Limits()
    accepts_undated: bool = False
    """Whether a late report may have no instant. An older TMS rejects it, so such reports wait for a newer one."""
    features: Sequence[str] = ()
    """The parts of the protocol beyond the basics that TMS understands."""

    @classmethod
    def read(cls, given: Reader) -> "BootResult":
        return cls(
            given.integer("session"),
            given.number("heartbeat_s"),
            given.instant("server_time"),
            given.integer("acked_seq", 0),
            Limits.read(given.object("limits", {})),
            given.boolean("accepts_undated", default=False),
            given.strings("features") if "features" in given else (),
        )


@dataclass(frozen=True, slots=True)
class AckFrame:
    """Every report up to `seq` that was sent on this link is committed. `boot_id` only for an earlier boot."""

    seq: int
    boot_id: str | None = None

    @classmethod
    def read(cls, given: Reader) -> "AckFrame":
        return cls(given.integer("seq"), given.string("boot_id") if "boot_id" in given else None)


@dataclass(frozen=True, slots=True)
class UploadOffer:
    """Where the terminal may upload one file of the command, at most `part_bytes` at a time."""

    path: str
    max_bytes: int
    part_bytes: int
    media_types: Sequence[str]

    @classmethod
    def read(cls, given: Reader) -> "UploadOffer":
        path = given.string("path")
        if not (path.startswith("/") and _is_of_url(path)):
            raise FrameError("Expected a path on the host of the link", where=given.path("path"))
        sizes = given.integer("max_bytes"), given.integer("part_bytes")
        return cls(path, *sizes, given.strings("media_types"))


@dataclass(frozen=True, slots=True)
class CommandFrame:
    """A request to the terminal, which must answer before `deadline`; otherwise the command has failed."""

    name: str
    args: Mapping[str, Any]
    deadline: datetime
    uploads: Sequence[UploadOffer] | None = None

    @classmethod
    def read(cls, given: Reader) -> "CommandFrame":
        uploads = [UploadOffer.read(one) for one in given.items("uploads")] if "uploads" in given else None
        return cls(given.name("name"), given.members("args"), given.instant("deadline"), uploads)


@dataclass(frozen=True, slots=True)
class AnsweredFrame:
    """The answer to this request is committed, and may be deleted."""

    id: RequestId

    @classmethod
    def read(cls, given: Reader) -> "AnsweredFrame":
        return cls(given.request_id())


@dataclass(frozen=True, slots=True)
class ConfigFrame:
    """The configuration that the terminal shall have, with all its keys."""

    version: int
    values: Mapping[str, Any]
    deadline: datetime

    @classmethod
    def read(cls, given: Reader) -> "ConfigFrame":
        return cls(given.integer("version"), given.members("values"), given.instant("deadline"))


@dataclass(frozen=True, slots=True)
class ManifestSignature:
    key: str
    signature: str
    """Ed25519, in Base64."""

    @classmethod
    def read(cls, given: Reader) -> "ManifestSignature":
        return cls(given.name("key"), given.string("signature"))


@dataclass(frozen=True, slots=True)
class UpdateFrame:
    """Software to install. The signatures are over the UTF-8 bytes of exactly this `manifest`."""

    manifest: str
    signatures: Sequence[ManifestSignature]
    url: str
    """A path on the host of the link, or an HTTPS address that needs no credential."""
    deadline: datetime
    max_bytes_s: float | None = None

    @classmethod
    def read(cls, given: Reader) -> "UpdateFrame":
        url = given.string("url")
        if not (url.startswith(("/", "https://")) and _is_of_url(url)):
            raise FrameError("Expected a path on the host of the link or an https:// address", where=given.path("url"))
        return cls(
            given.string("manifest"),
            [ManifestSignature.read(one) for one in given.items("signatures")],
            url,
            given.instant("deadline"),
            given.number("max_bytes_s") if "max_bytes_s" in given else None,
        )


@dataclass(frozen=True, slots=True)
class DrainFrame:
    """This node stops: close, then reconnect after `reconnect_after_s` and a random part of `spread_s`."""

    reconnect_after_s: float
    spread_s: float

    @classmethod
    def read(cls, given: Reader) -> "DrainFrame":
        return cls(given.number("reconnect_after_s"), given.number("spread_s"))


def _is_of_url(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _instant_or_null(given: Reader, name: str) -> datetime | None:
    return None if given.is_null(name) else given.instant(name)


def _optional(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
