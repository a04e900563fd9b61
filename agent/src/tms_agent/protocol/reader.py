"""Typed access to the members of a JSON object from outside."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from tms_agent.protocol import instants
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.limits import NAME_LENGTH, SEQ_MAX

Kind = TypeVar("Kind")

REQUIRED: Any = object()
JSON_NAMES = {dict: "object", list: "array", type(None): "null"}


class Reader:
    """Unknown members are ignored, and wrong types are rejected. Raises FrameError, which names the member."""

    __slots__ = ("_members", "_where")

    def __init__(self, value: Any, where: str = "$") -> None:
        self._members: dict[str, Any] = _check(value, dict, where)
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def string(self, name: str, default: Any = REQUIRED) -> str:
        return self._typed(name, str, default)

    def name(self, name: str) -> str:
        text = self.string(name)
        if not 1 <= len(text) <= NAME_LENGTH:
            raise FrameError(f"Expected `str` of 1 to {NAME_LENGTH} characters", where=self.path(name))
        return text

    def integer(self, name: str, default: Any = REQUIRED) -> int:
        return self._typed(name, int, default)

    def boolean(self, name: str, default: Any = REQUIRED) -> bool:
        return self._typed(name, bool, default)

    def number(self, name: str) -> float:
        value = self._get(name, REQUIRED)
        if type(value) is int and abs(value) <= SEQ_MAX:
            return float(value)
        if type(value) is not float:
            raise _mismatch("float", value, self.path(name))
        if not math.isfinite(value):
            raise FrameError("Number out of range", where=self.path(name))
        return value

    def instant(self, name: str) -> datetime:
        try:
            return instants.parse(self.string(name))
        except ValueError as error:
            raise FrameError(f"Invalid RFC3339 encoded datetime: {error}", where=self.path(name)) from None

    def request_id(self) -> int | str:
        """JSON-RPC sets no limits; an id is echoed, so it must be short and fit every JSON implementation."""
        value: int | str = self._get("id", REQUIRED)
        is_short = type(value) is str and len(value) <= NAME_LENGTH
        if not is_short and not (type(value) is int and abs(value) <= SEQ_MAX):
            raise FrameError(f"Expected `int | str` of at most {NAME_LENGTH} characters", where=self.path("id"))
        return value

    def object(self, name: str, default: Any = REQUIRED) -> "Reader":
        return Reader(self._get(name, default), self.path(name))

    def choice(self, name: str, choices: Sequence[str]) -> Any:
        value = self.string(name)
        if value not in choices:
            raise FrameError(f"Invalid enum value {value!r}", where=self.path(name))
        return value

    def members(self, name: str) -> dict[str, Any]:
        return self._typed(name, dict, REQUIRED)

    def items(self, name: str) -> "list[Reader]":
        """The objects in an array; empty without the member."""
        values = self._typed(name, list, [])
        return [Reader(value, f"{self.path(name)}[{number}]") for number, value in enumerate(values)]

    def strings(self, name: str) -> "list[str]":
        values = self._typed(name, list, REQUIRED)
        return [_check(value, str, f"{self.path(name)}[{number}]") for number, value in enumerate(values)]

    def path(self, name: str) -> str:
        return f"{self._where}.{name}"

    def is_null(self, name: str) -> bool:
        return name in self._members and self._members[name] is None

    def _typed(self, name: str, kind: type[Kind], default: Any) -> Kind:
        return _check(self._get(name, default), kind, self.path(name))

    def _get(self, name: str, default: Any) -> Any:
        value = self._members.get(name, default)
        if value is REQUIRED:
            raise FrameError(f"Object missing required field `{name}`", where=self._where)
        return value


def _check(value: Any, kind: type[Kind], where: str) -> Kind:
    """`bool` is no `int` here, as in JSON."""
    if type(value) is not kind:
        raise _mismatch(_name(kind), value, where)
    checked: Kind = value
    return checked


def _mismatch(expected: str, value: Any, where: str) -> FrameError:
    return FrameError(f"Expected `{expected}`, got `{_name(type(value))}`", where=where)


def _name(kind: type) -> str:
    return JSON_NAMES.get(kind, kind.__name__)
