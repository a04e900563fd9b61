"""What the worker in the browser gets: the least that it needs to show one notification."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import get_language, gettext

from tms.notifications.transports.message import Message

SIZE = 3_072
"""Bytes before encryption, always: the length says nothing about the content. Push services take 4,096."""
MAX_TITLE, MAX_BODY = 200, 600
SILENT = frozenset({"acknowledged", "resolved", "calm"})
"""Replace what the browser shows, without a sound."""


def payload(message: Message) -> bytes:
    """JSON, padded with spaces to `SIZE`."""
    lines = [line for line in message.lines if "://" not in line]
    values: dict[str, object] = {
        "uid": message.uid,
        "tag": tag(message),
        "title": message.title[:MAX_TITLE],
        "body": "\n".join(lines)[:MAX_BODY],
        "at": int(message.at.timestamp() * 1000),
        "lang": get_language() or "en",
        "path": _path(message),
        "isSilent": message.kind in SILENT,
        "isUrgent": message.severity == "critical" and message.kind not in SILENT,
        "open": gettext("Open"),
    }
    if message.acknowledge_path:
        values["acknowledge"] = {
            "path": message.acknowledge_path,
            "label": gettext("Acknowledge"),
            "failed": gettext("Not acknowledged: TMS did not answer. Try again, or open it."),
        }
    return _fit(values)


def _fit(values: dict[str, Any]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    while len(text) > SIZE:
        values["body"], values["title"] = (
            values["body"][:-50],
            values["title"] if values["body"] else values["title"][:-20],
        )
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return text.ljust(SIZE)


def tag(message: Message) -> str:
    """Names what it is about: a later notification about the same replaces the one that is shown."""
    kind, subjects = _subjects(message.facts)
    return f"{kind}-{subjects[0]['id']}" if len(subjects) == 1 else message.uid


def topic(message: Message) -> str:
    """The same for the push service, which sees only a digest: of waiting messages it keeps the last."""
    return base64.urlsafe_b64encode(sha256(tag(message).encode()).digest()[:24]).decode()


def _path(message: Message) -> str:
    _kind, subjects = _subjects(message.facts)
    return urlsplit(subjects[0]["url"]).path if len(subjects) == 1 else "/alerts/"


def _subjects(facts: Mapping[str, Any]) -> tuple[str, list[Any]]:
    for kind in ("incident", "job"):
        if found := facts.get(f"{kind}s"):
            return kind, found
    return "alert", facts.get("alerts") or []
