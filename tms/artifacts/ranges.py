"""Ranges of bytes (RFC 9110, 14). Pure.

Updaters take a 200 to the request of a range for the end of the file: a range that exists is always answered by a 206.
"""

from typing import NamedTuple

MAX_RANGES = 16


class Range(NamedTuple):
    begin: int
    end: int
    """Exclusive."""


class NotSatisfiable(Exception):
    """No byte of the file is asked for."""


def requested(header: str, size: int) -> Range | None:
    """The bytes that a `Range` header asks for; None for all of them, also if it cannot be read.

    Of several ranges it is everything from the first byte to the last: one answer without parts. Raises NotSatisfiable.
    """
    unit, _, given = header.strip().partition("=")
    texts = given.split(",", MAX_RANGES)
    if unit.strip().lower() != "bytes" or len(texts) > MAX_RANGES:
        return None
    found = []
    for text in texts:
        begin, dash, last = text.strip().partition("-")
        if not dash or not (_is_number(begin) or (not begin and _is_number(last))) or (last and not _is_number(last)):
            return None
        one = Range(max(size - int(last), 0), size) if not begin else Range(int(begin), _end(last, size))
        if begin and last and int(last) < int(begin):
            return None
        if one.begin < one.end:
            found.append(one)
    if not found:
        raise NotSatisfiable
    return Range(min(one.begin for one in found), max(one.end for one in found))


def _end(last: str, size: int) -> int:
    return min(int(last) + 1, size) if last else size


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15
