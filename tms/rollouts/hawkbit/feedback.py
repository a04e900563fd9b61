"""Reads what updaters send: feedback about an action, and the attributes of a terminal. Pure.

Updaters build their JSON with `printf`: a tab or a quotation mark in a message of the system breaks it. Feedback is
read all the same, because an updater that gets an error for it does not go on. Its times are ignored: they have no
zone.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from tms.protocol.text import clean, storable

MAX_BODY = 262_144
"""swupdate sends up to 48 lines of its log at once."""
MAX_DETAILS, MAX_DETAIL, MAX_ATTRIBUTES, MAX_VALUE = 64, 300, 64, 64
TROUBLE = ("error", "fail", "invalid", "corrupt", "refused", "denied", "no space", "not match")
"""How the lines of a log that tell the cause of a failure look like."""
NOISE = "action_id"
"""What swupdate complains of whenever an installation fails."""
CODES: Mapping[str, str] = {
    "checksum does not match": "hash_mismatch",
    "hash mismatch": "hash_mismatch",
    "verification failed": "signature",
    "signature": "signature",
    "no space": "no_space",
    "not enough free space": "no_space",
    "http error code": "download",
}
"""The reasons of failures, by what stands in messages of updaters."""
ATTRIBUTES: Mapping[str, str] = {
    "firmware": "firmware",
    "version": "firmware",
    "sw_version": "firmware",
    "swVersion": "firmware",
    "model": "model",
    "hwModel": "model",
    "serial": "serial",
    "serialNo": "serial",
    "serial_number": "serial",
}
"""Names of attributes, and what they tell of a terminal. Of several names the first counts."""


class FeedbackKind(StrEnum):
    PROGRESS = "progress"
    INSTALLED = "installed"
    """Everything is written; the restart is still to come."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    """It refuses the action, or the cancellation."""


class Feedback(NamedTuple):
    kind: FeedbackKind
    details: tuple[str, ...] = ()
    """Messages, cleaned, the last ones."""

    @property
    def troubles(self) -> list[str]:
        return [line for line in self.details if any(word in line.lower() for word in TROUBLE) and NOISE not in line]


class Attributes(NamedTuple):
    firmware: str = ""
    model: str = ""
    serial: str = ""


def parse_feedback(body: bytes) -> Feedback:
    """Never fails: what cannot be read is progress."""
    text = body.decode(errors="replace")
    status = _dict(_dict(_json(text)).get("status"))
    if not status:
        return _salvage(text)
    result = _dict(status.get("result"))
    details = status.get("details")
    return Feedback(
        _kind(_text(status.get("execution")), _text(result.get("finished")), _dict(result.get("progress"))),
        _details(details if isinstance(details, list) else [details]),
    )


def parse_attributes(body: bytes) -> Attributes | None:
    """What `data` of a body says that TMS knows; None if it is not JSON with `data`."""
    data = _dict(_json(body.decode(errors="replace"))).get("data")
    if not isinstance(data, dict):
        return None
    found: dict[str, str] = {}
    for name, value in list(data.items())[:MAX_ATTRIBUTES]:
        field = ATTRIBUTES.get(name)
        if field and isinstance(value, str | int | float):
            found.setdefault(field, _line(str(value), MAX_VALUE))
    return Attributes(**found)


def code_of(cause: str) -> str:
    """The reason of a failure; empty if the message tells none that TMS knows."""
    lowered = cause.lower()
    return next((code for words, code in CODES.items() if words in lowered), "")


def _kind(execution: str, finished: str, progress: Mapping[str, Any]) -> FeedbackKind:
    if execution == "canceled":
        return FeedbackKind.CANCELLED
    if execution == "rejected":
        return FeedbackKind.REJECTED
    if execution == "closed":
        return FeedbackKind.FAILED if finished == "failure" else FeedbackKind.SUCCEEDED
    count, of = progress.get("cnt"), progress.get("of")
    if isinstance(count, int) and isinstance(of, int) and count == of > 0:
        return FeedbackKind.INSTALLED
    return FeedbackKind.PROGRESS


def _salvage(text: str) -> Feedback:
    """Feedback that is not JSON."""
    return Feedback(
        _kind(_member(text, "execution"), _member(text, "finished"), {}),
        _details(text.partition('"details"')[2].strip(" :[]{}\r\n\t").split('","')),
    )


def _member(text: str, name: str) -> str:
    """The string that follows the name, such as `closed` of `"execution": "closed"`."""
    return text.partition(f'"{name}"')[2][:40].partition('"')[2].partition('"')[0]


def _details(given: list[Any]) -> tuple[str, ...]:
    lines = (_line(one, MAX_DETAIL) for one in given[-MAX_DETAILS:] if isinstance(one, str))
    return tuple(line for line in lines if line)


def _line(text: str, limit: int) -> str:
    return clean(storable(text[: 2 * limit])).strip()[:limit].strip()


def _json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
