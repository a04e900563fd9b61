"""Where in the text of a JSON document a path such as `$.properties.copies.type` is. Pure."""

import re
from collections.abc import Iterator

TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def line_of(text: str, where: str) -> int:
    """The line of `where`, or of the nearest value around it. The text is valid JSON; the time is linear."""
    found, longest = 0, -1
    for path, offset in _values(text, where):
        if len(path) > longest:
            found, longest = offset, len(path)
    return text.count("\n", 0, found) + 1


def _values(text: str, where: str) -> Iterator[tuple[str, int]]:
    """The paths on the way to `where`, each with its position: that of the name, if it has one."""
    levels: list[tuple[str, int]] = []
    """The path of each open list or object, empty if `where` is elsewhere, and the number of the entry; -1: object."""
    path, offset, is_name = "$", 0, False
    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark in "}]":
            levels.pop()
            continue
        if mark == ",":
            around, number = levels[-1]
            levels[-1] = (around, number + 1 if number >= 0 else -1)
            is_name = number < 0
            continue
        if mark == ":":
            is_name = False
            continue
        if levels and is_name:
            path, offset = _inner(levels[-1][0], f".{mark[1:-1]}", where), token.start()
            continue
        if levels and levels[-1][1] >= 0:
            path, offset = _inner(levels[-1][0], f"[{levels[-1][1]}]", where), token.start()
        if path:
            yield path, offset
        if mark in "{[":
            levels.append((path, -1 if mark == "{" else 0))
            is_name = mark == "{"


def _inner(around: str, name: str, where: str) -> str:
    """The path of a value within `around`; empty if it is not on the way to `where`."""
    path = around + name
    is_on_way = around and where.startswith(path) and where[len(path) : len(path) + 1] in ("", ".", "[")
    return path if is_on_way else ""
