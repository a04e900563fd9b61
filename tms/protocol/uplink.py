"""Decodes what terminals send."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from tms.protocol import frames, limits, partly
from tms.protocol.errors import ErrorType, FrameError, RpcError
from tms.protocol.raw_checks import check_shape
from tms.protocol.text import clean, clean_tree, is_clean

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
EXAMPLE = "2026-11-25T09:30:00+09:00"


class BootCall(Struct, frozen=True, tag_field="method", tag="boot"):
    params: frames.BootFrame
    id: frames.RequestId
    jsonrpc: Literal["2.0"]


class HeartbeatCall(Struct, frozen=True, tag_field="method", tag="heartbeat"):
    jsonrpc: Literal["2.0"]
    params: frames.HeartbeatFrame = frames.HeartbeatFrame()


class ReportCall(Struct, frozen=True, gc=False, tag_field="method", tag="report"):
    params: frames.ReportFrame
    jsonrpc: Literal["2.0"]


class ProgressCall(Struct, frozen=True, tag_field="method", tag="progress"):
    params: frames.ProgressFrame
    jsonrpc: Literal["2.0"]


class GoodbyeCall(Struct, frozen=True, tag_field="method", tag="goodbye"):
    params: frames.GoodbyeFrame
    jsonrpc: Literal["2.0"]


class CommandAnswer(Struct, frozen=True):
    """A terminal's response to a command: `result`, or `error`."""

    id: frames.RequestId
    jsonrpc: Literal["2.0"]
    result: Any = UNSET
    error: RpcError | UnsetType = UNSET


type Call = BootCall | HeartbeatCall | ReportCall | ProgressCall | GoodbyeCall
type Uplink = Call | CommandAnswer

IDENTITY = ("serial", "model", "firmware", "agent")
"""What a terminal reports about itself at boot, for people."""
METHODS = ("boot", "heartbeat", "report", "progress", "goodbye")

CHOICES = {
    "jsonrpc": ("2.0",),
    "status": get_args(frames.Status.__value__),
    "severity": get_args(frames.Severity.__value__),
    "reason": get_args(frames.GoodbyeReason.__value__),
}
"""Fields with a fixed set of values."""

UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""Invalid UTF-8 is noticed only where a string is made of it."""

_call: msgspec.json.Decoder[Call] = msgspec.json.Decoder(Call)
_answer = msgspec.json.Decoder(CommandAnswer)
_batch = msgspec.json.Decoder(list[Raw])
_envelope = msgspec.json.Decoder(dict[str, Raw])
_number = msgspec.json.Decoder(float)

END_IN_PYTHON = r"(?!\\n)"
"""The part of a pattern that is of no interest to a terminal's developer."""


def decode(text: str | bytes) -> Iterator[Uplink | FrameError]:
    """The calls and answers in one WebSocket message; an invalid one becomes the error that explains it."""
    # A lone surrogate is not valid text; the decoder rejects the bytes that it becomes.
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if data[:1] == b"[" or data.lstrip()[:1] == b"[":
        yield from _decode_batch(data)
        return
    yield from _decode_one(data)


def _decode_batch(data: bytes) -> Iterator[Uplink | FrameError]:
    try:
        check_shape(data)
        items = _batch.decode(data)
    except FrameError as error:
        yield error
        return
    except UNDECODABLE as error:
        yield FrameError(ErrorType.BAD_JSON, f"not JSON: {error}")
        return
    if not items or len(items) > limits.REPORTS_PER_BATCH:
        yield FrameError(
            ErrorType.BAD_FRAME, f"a batch must contain 1 to {limits.REPORTS_PER_BATCH} reports, not {len(items)}"
        )
        return
    for item in items:
        for one in _decode_one(bytes(item)):
            if isinstance(one, ReportCall | FrameError):
                yield one
            else:
                yield FrameError(ErrorType.BAD_FRAME, "a batch must contain only reports; send other frames separately")


def _decode_one(data: bytes) -> Iterable[Uplink | FrameError]:
    """One call, answer or error; before a call that was accepted in part, the errors that name the rejected parts."""
    try:
        check_shape(data)
        call = _clean(_call.decode(data))
        _check_instants(call)
    except FrameError as error:
        return (error,)
    except UNDECODABLE as error:
        return (_answer_or_error(data, error),)
    return _screen(call)


def _screen(call: Call) -> Iterable[Uplink | FrameError]:
    if isinstance(call, ReportCall):
        refused, report = partly.report_of(call.params)
        return (*refused, replace(call, params=report)) if refused else (call,)
    if isinstance(call, BootCall):
        refused, boot = partly.boot_of(call.params)
        return (*refused, replace(call, params=boot)) if refused else (call,)
    return (call,)


def _clean(call: Call) -> Call:
    """Cleans the texts that people read. An invalid id is rejected instead: the terminal would not recognise it."""
    params = call.params
    if isinstance(params, frames.ReportFrame):
        _check_id(params.boot_id, "$.params.boot_id")
        if all(event.text.isprintable() for event in params.events):
            return call
        events = tuple(replace(event, text=clean(event.text)) for event in params.events)
        return ReportCall(replace(params, events=events), "2.0")
    if isinstance(call, BootCall):
        _check_id(call.params.boot_id, "$.params.boot_id", call.id)
        _check_names(call)
        identity = {name: clean(getattr(call.params, name)) for name in IDENTITY}
        software = {name: clean(version) for name, version in call.params.software.items()}
        return replace(call, params=replace(call.params, software=software, **identity))
    if isinstance(params, frames.ProgressFrame):
        return ProgressCall(replace(params, text=clean(params.text)), "2.0")
    return call


def _check_names(call: BootCall) -> None:
    boot = call.params
    for member, names in (("capabilities", boot.capabilities), ("features", boot.features)):
        for number, name in enumerate(names):
            _check_id(name, f"$.params.{member}[{number}]", call.id)
    for name in boot.capability_versions:
        _check_id(name, "$.params.capability_versions", call.id)
    for name in boot.software:
        _check_id(name, "$.params.software", call.id)


def _check_id(name: str | UnsetType, where: str, request_id: frames.RequestId | None = None) -> None:
    if name is not UNSET and not is_clean(name):
        raise FrameError(
            ErrorType.BAD_FRAME,
            "an id must not contain line breaks, control or bidirectional characters",
            where=where,
            id=request_id,
        )


def _check_instants(call: Call) -> None:
    params = call.params
    if isinstance(params, frames.ReportFrame):
        is_late = params.late or params.boot_id is not UNSET
        _check_optional_instant(params.at, "$.params.at", is_late=is_late)
        for number, event in enumerate(params.events):
            _check_optional_instant(event.at, f"$.params.events[{number}].at", is_late=is_late)
    elif isinstance(params, frames.GoodbyeFrame) and params.back_at is not UNSET:
        _check_instant(params.back_at, "$.params.back_at")


def _check_optional_instant(at: datetime | None, where: str, *, is_late: bool) -> None:
    if at is not None:
        _check_instant(at, where)
    elif not is_late:
        raise FrameError(
            ErrorType.BAD_FRAME,
            "only a late report may omit the time; expected a time such as " + EXAMPLE,
            where=where,
        )


def _check_instant(at: datetime, where: str) -> None:
    if not EARLIEST <= at < LATEST:
        raise FrameError(ErrorType.BAD_FRAME, "a time must be between the years 2000 and 2100", where=where)


def _answer_or_error(data: bytes, error: Exception) -> CommandAnswer | FrameError:
    """Anything but a call is an answer, or is rejected with its id and the most specific reason."""
    try:
        envelope = _envelope.decode(data)
    except msgspec.ValidationError:
        return FrameError(ErrorType.BAD_FRAME, "expected a JSON object, or an array of reports")
    except UNDECODABLE as bad:
        return FrameError(ErrorType.BAD_JSON, f"not JSON: {bad}")
    request_id = _decode_raw(envelope.get("id"))
    if "method" not in envelope:
        return _decode_answer(data, request_id)
    method = _decode_raw(envelope["method"])
    if method not in METHODS:
        return FrameError(
            ErrorType.UNKNOWN_METHOD,
            f"unknown method; use one of {', '.join(METHODS)}",
            where="$.method",
            id=request_id,
        )
    message, where = split_path(str(error))
    return FrameError(ErrorType.BAD_FRAME, message, where=_name_the_key(where, data), id=request_id)


def _decode_answer(data: bytes, request_id: Any) -> CommandAnswer | FrameError:
    try:
        answer = _answer.decode(data)
    except UNDECODABLE as error:
        message, where = split_path(str(error))
        return FrameError(ErrorType.BAD_FRAME, message, where=where, id=request_id)
    if (answer.result is UNSET) == (answer.error is UNSET):
        return FrameError(ErrorType.BAD_FRAME, "expected either `result` or `error`", id=request_id)
    return replace(
        answer, result=clean_tree(answer.result, keeps_lines=True), error=answer.error and _cleaned_error(answer.error)
    )


def _cleaned_error(error: RpcError) -> RpcError:
    data = replace(error.data, type=clean(error.data.type))
    return replace(error, message=clean(error.message, keeps_lines=True), data=data)


def _decode_raw(raw: Raw | None) -> Any:
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except UNDECODABLE:
        return None


def split_path(message: str) -> tuple[str, str]:
    """msgspec says "Expected `int`, got `str` - at `$.params.seq`"; this separates message and path, and adds the
    choice.
    """
    what, at, where = message.replace(END_IN_PYTHON, "").rpartition(" - at `")
    if not at:
        return where, "$"
    where = where.rstrip("`").removeprefix("key` in `")
    choice = CHOICES.get(where.rpartition(".")[2])
    return (f"{what}; expected {' or '.join(choice)}" if choice else what), where


def _name_the_key(where: str, data: bytes) -> str:
    """msgspec says `$.params.metrics[...]` for any key; a terminal's developer needs to know which metric."""
    path, hidden, rest = where.partition("[...]")
    if not hidden or rest:
        return where
    try:
        members = _envelope.decode(data)
        for step in path.split(".")[1:]:
            members = _envelope.decode(members[step])
    except (*UNDECODABLE, KeyError):  # invalid further on, or a repeated name
        return where
    return next((f"{path}.{key}" for key, value in members.items() if not _is_number(value)), where)


def _is_number(value: Raw) -> bool:
    try:
        _number.decode(value)
    except UNDECODABLE:
        return False
    return True
