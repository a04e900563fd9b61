"""The schemas of the frames of a terminal, as docs/asyncapi.yaml of TMS describes them.

A schema is a function of a value and its path that yields what is wrong, such as "$.params.seq is '1', not an integer".
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

Schema = Callable[[Any, str], Iterator[str]]

NAME_LENGTH = 64
SEQ_MAX = 2**53 - 1
METRIC_BOUND = 1e15
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
UNSAFE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control and bidirectional characters."""


def instant(text: str) -> datetime:
    """Raises ValueError."""
    found = INSTANT.fullmatch(text)
    if not found:
        raise ValueError
    day, time, fraction, offset = found.groups(default="0")
    return datetime.fromisoformat(f"{day}T{time}.{fraction[:6]:0<6}{'+00:00' if offset in 'Zz' else offset}")


def shown(value: Any) -> str:
    try:
        text = json.dumps(value, default=repr)
    except RecursionError:
        return "nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."


def faults_in(frame: Any) -> Iterator[str]:
    """What is wrong with one message of a terminal."""
    if not isinstance(frame, dict):
        yield f"$ is {shown(frame)}, not an object"
        return
    if frame.get("jsonrpc") != "2.0":
        yield f'$.jsonrpc is {shown(frame.get("jsonrpc"))}, not "2.0"'
    method = frame.get("method")
    if "method" not in frame:
        yield from _faults_in_answer(frame)
    elif not isinstance(method, str) or method not in METHODS:
        yield f"$.method is {shown(method)}, not one of {', '.join(METHODS)}"
    else:
        yield from METHODS[method](frame, "$")


def _faults_in_answer(frame: Mapping[str, Any]) -> Iterator[str]:
    yield from request_id(frame.get("id"), "$.id")
    if ("result" in frame) == ("error" in frame):
        yield "$ has neither a method nor exactly one of result and error"
    if "error" in frame:
        yield from members({"code": integer(-SEQ_MAX), "message": text(most=10_000)}, {"data": members({}, {})})(
            frame["error"], "$.error"
        )


def text(*, least: int = 0, most: int = NAME_LENGTH, pattern: str = "", is_safe: bool = False) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where} is {shown(value)}, not a string"
        elif not least <= len(value) <= most:
            yield f"{where} has {len(value)} characters, not {least} to {most}"
        elif "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            yield f"{where} has U+0000 or half of a surrogate pair"
        elif is_safe and UNSAFE.search(value):
            yield f"{where} has a control or bidirectional character"
        elif pattern and not re.fullmatch(pattern, value):
            yield f"{where} is {shown(value)}, which does not match {pattern}"

    return faults


def integer(least: int = 0) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if type(value) is not int:
            yield f"{where} is {shown(value)}, not an integer"
        elif not least <= value <= SEQ_MAX:
            yield f"{where} is {value}, not from {least} to {SEQ_MAX}"

    return faults


def number(least: float, most: float) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if type(value) not in (int, float) or not math.isfinite(value):
            yield f"{where} is {shown(value)}, not a number"
        elif not least <= value <= most:
            yield f"{where} is {value}, not from {least:g} to {most:g}"

    return faults


def boolean(value: Any, where: str) -> Iterator[str]:
    if type(value) is not bool:
        yield f"{where} is {shown(value)}, not true or false"


def choice(*choices: str) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if value not in choices:
            yield f"{where} is {shown(value)}, not one of {', '.join(choices)}"

    return faults


def date(value: Any, where: str) -> Iterator[str]:
    try:
        is_near = 2000 <= instant(value).year <= 2100
    except (TypeError, ValueError):
        yield f"{where} is {shown(value)}, not an instant with an offset, such as 2026-11-25T09:30:00+09:00"
        return
    if not is_near:
        yield f"{where} is {shown(value)}, not between the years 2000 and 2100"


def date_or_null(value: Any, where: str) -> Iterator[str]:
    if value is not None:
        yield from date(value, where)


def request_id(value: Any, where: str) -> Iterator[str]:
    yield from (text() if isinstance(value, str) else integer(-SEQ_MAX))(value, where)


def array(of: Schema, most: int) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where} is {shown(value)}, not an array"
            return
        if len(value) > most:
            yield f"{where} has {len(value)} items, not at most {most}"
        for position, item in enumerate(value):
            yield from of(item, f"{where}[{position}]")

    return faults


def mapping(name: str, of: Schema, most: int) -> Schema:
    def faults(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is {shown(value)}, not an object"
            return
        if len(value) > most:
            yield f"{where} has {len(value)} members, not at most {most}"
        for key, item in value.items():
            if not re.fullmatch(name, key):
                yield f"{where} has a member {shown(key)}, which does not match {name}"
            yield from of(item, f"{where}.{key}")

    return faults


def members(required: Mapping[str, Schema], optional: Mapping[str, Schema]) -> Schema:
    """An object. Members that nobody knows are allowed."""

    def faults(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is {shown(value)}, not an object"
            return
        for name in required.keys() - value.keys():
            yield f"{where} has no {name}"
        for name, schema in {**required, **optional}.items():
            if name in value:
                yield from schema(value[name], f"{where}.{name}")

    return faults


ANYTHING = members({}, {})
METRIC = r"[a-z][a-z0-9_.]{0,63}"
EVENT = r"(?!tms\.)[a-z0-9][a-z0-9_.-]{0,63}"
STATUS = choice("ok", "degraded", "fault")
METRICS = mapping(METRIC, number(-METRIC_BOUND, METRIC_BOUND), 64)
FULL_STATE = members({}, {"status": STATUS, "metrics": METRICS})
BOOT = members(
    {"boot_id": text(least=1, is_safe=True)},
    {
        "uptime_s": number(0, math.inf),
        "serial": text(),
        "model": text(),
        "firmware": text(),
        "agent": text(),
        "capabilities": array(text(least=1, is_safe=True), 64),
        "last_seq": integer(),
        "full": FULL_STATE,
        "features": array(text(least=1), 64),
        "capability_versions": mapping(r".{1,64}", integer(1), 64),
        "software": mapping(r".{1,64}", text(least=1), 32),
        "config_version": integer(),
        "unchecked_dates": boolean,
    },
)
TERMINAL_EVENT = members(
    {"at": date_or_null, "code": text(pattern=EVENT)},
    {"severity": choice("critical", "warning", "info"), "text": text(most=500)},
)
REPORT = members(
    {"seq": integer(), "at": date_or_null},
    {
        "status": STATUS,
        "metrics": METRICS,
        "events": array(TERMINAL_EVENT, 100),
        "late": boolean,
        "boot_id": text(least=1, is_safe=True),
    },
)
GOODBYE = members({"reason": choice("reboot", "update", "closing", "shutdown")}, {"back_at": date})
PROGRESS = members({"id": request_id}, {"percent": number(0, 100), "text": text(most=500)})
METHODS = {
    "boot": members({"id": request_id, "params": BOOT}, {}),
    "heartbeat": members({}, {"params": ANYTHING}),
    "report": members({"params": REPORT}, {}),
    "goodbye": members({"params": GOODBYE}, {}),
    "progress": members({"params": PROGRESS}, {}),
}
