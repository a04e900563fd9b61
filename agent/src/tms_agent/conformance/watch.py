"""What must hold in every frame of a client, whatever is tested at the moment."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NoReturn

from websockets.http11 import Request

from tms_agent.conformance import schemas
from tms_agent.conformance.check import CHECKS, Check, Failed, Level

if TYPE_CHECKING:
    from tms_agent.conformance.link import Link

SUBPROTOCOL = "tms.v1"
SAME_REPORT = timedelta(seconds=0.5)
"""A report that is sent again may be dated anew, by a better known clock."""
NOW = timedelta(seconds=1)
PROGRESS_S = 0.8
"""The network may bring frames closer together than they were sent."""

WATCHED = {
    Level.CORE: {
        "subprotocol": "Each handshake offers the subprotocol tms.v1.",
        "credential": (
            "Each handshake has the credential: Authorization: Bearer UID.SECRET, or a subprotocol bearer.UID.SECRET."
        ),
        "credential-not-in-url": "The credential is never in the URL.",
        "text-frames": "All frames are text frames, none is binary.",
        "json": "Each frame is one JSON text in UTF-8, without NaN or Infinity.",
        "frame-size": "No frame is larger than frame_bytes of the answer to boot; 65,536 bytes before it.",
        "frame-rate": "At most frames_burst frames at once and frames_per_minute in the long run, beside backfill.",
        "boot-first": "The first frame of each link is boot, a request, and it is sent only once.",
        "boot-schema": "boot has the documented members, with the right types and lengths.",
        "report-schema": "Reports have the documented members, with the right types, lengths and names.",
        "other-schemas": "All other frames are heartbeat, goodbye, progress or answers, as documented.",
        "seq": (
            "In a boot, the seq of reports increases by one, from 1, also across links, and is used for one report; "
            "last_seq is the highest one."
        ),
    },
    Level.BACKFILL: {
        "batch": "An array has at least 1 and at most reports_per_batch items, and all of them are reports.",
        "order": "Reports of earlier boots are sent before those of this boot.",
        "late": "Reports that were made before this boot, or without events before this link, have late: true.",
        "not-late": "Reports that are sent when they are made are not late.",
    },
    Level.FULL: {
        "progress": "Progress is sent only if TMS has this feature, and at most once a second for a command.",
        "undated": "at is null only in late reports, and only if the answer to boot has accepts_undated.",
    },
}

CHECKS += [
    Check(name, level, expected) for level, expectations in WATCHED.items() for name, expected in expectations.items()
]


@dataclass
class Report:
    seq: int
    boot_id: str
    at: datetime | None
    is_late: bool
    has_events: bool
    is_dated: bool
    body: dict[str, Any] = field(repr=False, default_factory=dict)

    def __str__(self) -> str:
        return f"report {self.seq}"

    def is_again(self, other: "Report") -> bool:
        """Whether it is `other`, sent again."""
        is_same_number = (self.boot_id, self.seq) == (other.boot_id, other.seq)
        return is_same_number and not (self.at and other.at and abs(self.at - other.at) > SAME_REPORT)


class Watch:
    """One client, with all its boots and links."""

    def __init__(self, credential: str, note: Callable[[str, str, str], None]) -> None:
        """`note` takes the name of a check, what was wrong (nothing if it held), and the check during which."""
        self.during = ""
        self.credential = credential
        self.highest: dict[str, int] = {}
        self.knows_start = True
        """Whether the client was started for this: else its first boot may have reports from before."""
        self._note = note
        self._judged = ""
        self._faults: list[str] = []
        self._first: dict[tuple[str, int], Report] = {}

    def begin(self, name: str) -> None:
        """A check begins. The time of TMS may be another one from now on."""
        self.during = name
        self._first.clear()

    @contextmanager
    def judging(self, name: str) -> Iterator[None]:
        """Faults of this name are those of the check that acts. Raises Failed at the end if there was one."""
        self._judged, self._faults = name, []
        try:
            yield
        finally:
            self._judged = ""
        if self._faults:
            raise Failed(self._faults[0])

    def handshake(self, request: Request) -> None:
        offered = [one.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for one in line.split(",")]
        self._judge("subprotocol", [f"offered {', '.join(offered) or 'none'}"] if SUBPROTOCOL not in offered else [])
        self._judge("credential", self._credential_faults(request, offered))
        secret = self.credential.partition(".")[2]
        self._judge("credential-not-in-url", [f"the path was {request.path}"] if secret in request.path else [])

    def message(self, link: "Link", message: str | bytes) -> list[dict[str, Any]]:
        """The calls in it; none if it is not a valid frame."""
        self._judge("text-frames", [f"binary, {len(message)} bytes"] if isinstance(message, bytes) else [])
        if isinstance(message, bytes):
            return []
        size = len(message.encode(errors="surrogatepass"))
        self._judge("frame-size", [f"{size} bytes, not at most {link.frame_bytes}"] if size > link.frame_bytes else [])
        try:
            frame = json.loads(message, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            self._judge("json", [f"{error} in {schemas.shown(message)}"])
            return []
        self._judge("json", [])
        return self._frame(link, frame)

    def is_not_utf8(self) -> None:
        self._judge("json", ["a text frame that is not UTF-8"])

    def _frame(self, link: "Link", frame: Any) -> list[dict[str, Any]]:
        calls = frame if isinstance(frame, list) else [frame]
        faults = [(call, list(schemas.faults_in(call))) for call in calls]
        for call, wrong in faults:
            self._judge(_line_of(call), wrong)
        good = [call for call, wrong in faults if not wrong]
        for call, wrong in faults:
            if wrong and _has_boot_id(call):  # so that the other checks can go on
                good.append({**call, "params": {name: call["params"].get(name) for name in ("boot_id", "last_seq")}})
        if isinstance(frame, list):
            self._judge("batch", _batch_faults(frame, link.reports_per_batch))
        self._judge("boot-first", self._boot_faults(link, calls))
        reports = [_report(call["params"], link) for call in good if call.get("method") == "report"]
        if not reports or not all(report.is_late for report in reports):
            wait_s = link.bucket.excess()
            self._judge("frame-rate", [f"{wait_s:.1f} s too early"] if wait_s else [])
        for report in reports:
            self._report(link, report)
        for call in good:
            if call.get("method") == "progress":
                self._judge("progress", _progress_faults(link, call["params"]["id"]))
        return good

    def boot(self, link: "Link", params: dict[str, Any]) -> None:
        boot_id, last = params["boot_id"], link.last_seq
        seen = self.highest.get(boot_id)
        if seen is None and not self.knows_start:
            self.highest[boot_id] = last
        elif seen is not None and last < seen:
            self._judge("seq", [f"$.params.last_seq of boot is {last}, but report {seen} was sent in this boot"])

    def _report(self, link: "Link", report: Report) -> None:
        self._judge("seq", self._seq_faults(link, report))
        self._judge("order", self._order_faults(link, report))
        self._lateness(link, report)
        self._judge("undated", [] if report.is_dated else _undated_faults(link, report))
        self.highest[report.boot_id] = max(report.seq, self.highest.get(report.boot_id, 0))
        link.sent.append(report)
        link.in_flight.append(report)
        too_many = len(link.in_flight) > link.reports_per_batch
        self._judge("window", [f"{len(link.in_flight)}, not {link.reports_per_batch}"] if too_many else [])

    def _credential_faults(self, request: Request, offered: list[str]) -> Iterator[str]:
        given = request.headers.get("Authorization", "")
        if not given:
            if f"bearer.{self.credential}" not in offered:
                yield "neither Authorization nor a subprotocol had it"
        elif given.partition(" ")[0].lower() != "bearer" or given.partition(" ")[2].strip() != self.credential:
            yield "Authorization was not Bearer and the credential"

    def _boot_faults(self, link: "Link", calls: list[Any]) -> Iterator[str]:
        for call in calls:
            is_boot = isinstance(call, dict) and call.get("method") == "boot"
            if is_boot and link.has_booted:
                yield "a second boot on the same link"
            elif not is_boot and not link.has_booted:
                yield f"the first frame was {schemas.shown(call)}"
            link.has_booted = True

    def _seq_faults(self, link: "Link", report: Report) -> Iterator[str]:
        before = [one.seq for one in link.sent if one.boot_id == report.boot_id]
        highest = self.highest.get(report.boot_id, 0)
        if report.boot_id == link.boot_id:
            # What was lost with the link before and not sent again is the matter of another check.
            highest = max(highest, link.last_seq)
        if before and report.seq <= before[-1]:
            yield f"{report} came after report {before[-1]} on the same link"
        elif report.seq > highest + 1 and (report.boot_id in self.highest or self.knows_start):
            yield f"{report} came, expected {highest + 1}"
        elif report.seq < 1:
            yield f"{report} came; the first one is 1"
        first = self._first.setdefault((report.boot_id, report.seq), report)
        if not report.is_again(first):
            yield f"seq {report.seq} was used for reports of {first.at} and {report.at}"

    def _order_faults(self, link: "Link", report: Report) -> Iterator[str]:
        if report.boot_id != link.boot_id and any(one.boot_id == link.boot_id for one in link.sent):
            yield f"{report} of an earlier boot came after one of this boot"

    def _lateness(self, link: "Link", report: Report) -> None:
        is_earlier = report.boot_id != link.boot_id
        if is_earlier or (report.seq <= link.last_seq and not report.has_events):
            self._judge("late", [] if report.is_late else [f"{report} was made before this link, and is not late"])
            return
        if report.seq > link.last_seq:
            age = link.server_time() - report.at if report.at else NOW
            is_wrong = report.is_late and age < NOW
            self._judge("not-late", [f"{report} is late, and {age.total_seconds():.1f} s old"] if is_wrong else [])

    def _judge(self, name: str, faults: Iterable[str]) -> None:
        fault = "; ".join(faults)
        if name != self._judged:
            self._note(name, fault, self.during)
        elif fault:
            self._faults.append(fault)


def _has_boot_id(call: Any) -> bool:
    is_boot = isinstance(call, dict) and call.get("method") == "boot" and "id" in call
    return is_boot and isinstance(call.get("params"), dict) and isinstance(call["params"].get("boot_id"), str)


def _batch_faults(frame: list[Any], most: int) -> Iterator[str]:
    if not 1 <= len(frame) <= most:
        yield f"{len(frame)} items, not 1 to {most}"
    others = [call for call in frame if not (isinstance(call, dict) and call.get("method") == "report")]
    if others:
        yield f"$ has {schemas.shown(others[0])}, not only reports"


def _progress_faults(link: "Link", request_id: Any) -> Iterator[str]:
    now = time.monotonic()
    since = now - link.progress_at.get(request_id, -PROGRESS_S)
    link.progress_at[request_id] = now
    if "progress" not in link.features:
        yield "progress to a TMS without this feature"
    if since < PROGRESS_S:
        yield f"progress of one command after {since:.2f} s"


def _undated_faults(link: "Link", report: Report) -> Iterator[str]:
    if not report.is_late:
        yield f"{report} is not late, and has at: null"
    if not link.accepts_undated:
        yield f"{report} has at: null, which this TMS does not accept"


def _report(params: dict[str, Any], link: "Link") -> Report:
    events = params.get("events", ())
    return Report(
        params["seq"],
        params.get("boot_id", link.boot_id),
        schemas.instant(params["at"]).astimezone(timezone.utc) if params["at"] else None,
        params.get("late", False),
        bool(events),
        params["at"] is not None and all(event["at"] is not None for event in events),
        params,
    )


def _line_of(call: Any) -> str:
    method = call.get("method") if isinstance(call, dict) else None
    return f"{method}-schema" if method in ("boot", "report") else "other-schemas"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
