"""A strict reader of small YAML files: plain values with their lines, in linear time, with limits on everything.

It reads the events of libyaml instead of constructing Python objects, so that a file can raise nothing but BadYaml:
tags, aliases and anchors are rejected, and dates are text.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.utils.translation import gettext

from tms.protocol.text import is_storable

MAX_BYTES = 1_000_000
MAX_VALUES = 50_000
DEEPEST = 16
MAX_KEY_CHARACTERS = 100
MAX_NUMBER_CHARACTERS = 100

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml is ten times as fast; without it PyYAML provides the same events in Python."""
TEXT = "tag:yaml.org,2002:str"
NUMBERS = "+-.0123456789_:"
UTF_16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


class BadYaml(Exception):
    def __init__(self, what: str, *, line: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    data: object = None
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each value by its path, as `$.rules[0].name`."""


def read(source: str | bytes) -> Document:
    """The one document of a file. Raises BadYaml."""
    try:
        return _Reader(_encode(source)).document()
    except yaml.reader.ReaderError as error:
        raise _unreadable_character(error, source) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = gettext("invalid YAML: %s") % (getattr(error, "problem", None) or type(error).__name__)
        raise BadYaml(what, line=mark.line + 1 if mark else 1) from None


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._loader = LOADER(raw)
        self._lines: dict[str, int] = {}
        self._number = 0

    def document(self) -> Document:
        try:
            self._next()
            if isinstance(self._next(), yaml.StreamEndEvent):
                return Document()
            data = self._value(self._next(), "$", 0)
            self._next()
            if not isinstance(event := self._next(), yaml.StreamEndEvent):
                raise BadYaml(gettext("only one document per file; remove everything after ---"), line=_line(event))
            return Document(data, self._lines)
        finally:
            self._loader.dispose()

    def _next(self) -> yaml.Event:
        self._number += 1
        event: yaml.Event = self._loader.get_event()
        if self._number > MAX_VALUES:
            raise BadYaml(gettext("more than %d values; split the file") % MAX_VALUES, line=_line(event))
        return event

    def _value(self, event: Any, path: str, depth: int) -> object:
        self._lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            what = gettext("aliases and anchors (* and &) are not allowed; write the value out")
            raise BadYaml(what, line=_line(event))
        if event.tag not in {None, "!", TEXT} or (event.tag and not isinstance(event, yaml.ScalarEvent)):
            what = gettext("the tag %s is not allowed; write the value without it") % event.tag[:MAX_KEY_CHARACTERS]
            raise BadYaml(what, line=_line(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(self._loader, event)
        if depth == DEEPEST:
            raise BadYaml(gettext("nested more than %d levels; flatten it") % DEEPEST, line=_line(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, depth + 1)
        return self._mapping(path, depth + 1)

    def _list(self, path: str, depth: int) -> list[object]:
        found: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            found.append(self._value(event, f"{path}[{len(found)}]", depth))
        return found

    def _mapping(self, path: str, depth: int) -> Mapping[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event)
            self._lines[f"{path}.{key}"] = _line(event)
            found[key] = self._value(self._next(), f"{path}.{key}", depth)
        return found

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent) or len(event.value) > MAX_KEY_CHARACTERS:
            what = gettext("a key must be a string of at most %d characters") % MAX_KEY_CHARACTERS
            raise BadYaml(what, line=_line(event))
        return _text(event)


def _scalar(loader: Any, event: yaml.ScalarEvent) -> object:
    if event.tag or not event.implicit[0]:
        return _text(event)
    if len(event.value) > MAX_NUMBER_CHARACTERS:
        if not event.value.strip(NUMBERS):
            what = gettext("number longer than %d characters; shorten it") % MAX_NUMBER_CHARACTERS
            raise BadYaml(what, line=_line(event))
        return _text(event)
    construct = CONSTRUCTORS.get(loader.resolve(yaml.ScalarNode, event.value, (True, False)))
    if construct is None:  # text, including dates
        return _text(event)
    try:
        value = construct(yaml.constructor.SafeConstructor(), yaml.ScalarNode(TEXT, event.value))
    except (ValueError, OverflowError):
        value = math.nan
    if isinstance(value, float) and not math.isfinite(value):
        raise BadYaml(gettext("%s is not a finite number") % event.value, line=_line(event))
    return value


CONSTRUCTORS: Mapping[str, Any] = {
    "tag:yaml.org,2002:null": lambda _, __: None,
    "tag:yaml.org,2002:bool": yaml.constructor.SafeConstructor.construct_yaml_bool,
    "tag:yaml.org,2002:int": yaml.constructor.SafeConstructor.construct_yaml_int,
    "tag:yaml.org,2002:float": yaml.constructor.SafeConstructor.construct_yaml_float,
}


def _text(event: yaml.ScalarEvent) -> str:
    """Raises BadYaml for what no database stores: U+0000, and half of a surrogate pair."""
    text: str = event.value
    if not is_storable(text):
        what = gettext("a string must not contain U+0000 or an unpaired surrogate (\\ud800 to \\udfff)")
        raise BadYaml(what, line=_line(event))
    return text


def _encode(source: str | bytes) -> bytes:
    """The source in UTF-8, without its byte order mark. Raises BadYaml."""
    if len(source) > MAX_BYTES:
        raise BadYaml(gettext("the file is larger than %d bytes; split it") % MAX_BYTES)
    try:
        raw = source.encode() if isinstance(source, str) else source
        if not isinstance(source, str) and not raw.startswith(UTF_16_OR_32):
            raw.decode()
    except UnicodeError as error:
        line = source[: error.start].count("\n" if isinstance(source, str) else b"\n") + 1  # type: ignore[arg-type,attr-defined]
        raise BadYaml(gettext("not a UTF-8 text file; save it as UTF-8"), line=line) from None
    if raw.startswith(UTF_16_OR_32):
        raise BadYaml(gettext("not a UTF-8 text file; save it as UTF-8"))
    return raw.removeprefix(b"\xef\xbb\xbf")


def _unreadable_character(error: yaml.reader.ReaderError, source: str | bytes) -> BadYaml:
    raw = source.encode() if isinstance(source, str) else source
    what = gettext("the control character U+%04X is not allowed; remove it")
    code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
    return BadYaml(what % code, line=raw[: error.position].count(b"\n") + 1)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
