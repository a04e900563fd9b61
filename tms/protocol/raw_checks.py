"""Checks on the raw text of a frame that a typed decoder does not make."""

import re

from tms.protocol.errors import ErrorType, FrameError
from tms.protocol.limits import DEPTH, EXTREME_NUMBERS

STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""An unterminated string reaches to the end of the frame: otherwise each of its quotes would start another search."""
NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
EXTREME = re.compile(rb"[0-9][eE][+-]?[0-9]{3}")
"""A number as large or as small as `1e308`. The decoder takes 18 us for each, a hundred times as long as for others."""
MIN_EXTREME_BYTES = len(b"1e308,")
SAME_BRACKETS = bytes.maketrans(b"[]", b"{}")
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_shape(data: bytes) -> None:
    """Reject deep nesting, U+0000, which PostgreSQL cannot store, and numbers that take too long to parse."""
    if data.count(b"{") + data.count(b"[") > DEPTH and _is_too_deep(data):
        raise FrameError(ErrorType.TOO_DEEP, f"nested too deeply; limit {DEPTH} arrays and objects")
    if b"\\u0000" in data and NUL.search(data):
        raise FrameError(ErrorType.BAD_FRAME, "a string must not contain U+0000")
    if has_too_many_extremes(data):
        raise FrameError(ErrorType.BAD_FRAME, f"too many numbers with a three-digit exponent; limit {EXTREME_NUMBERS}")


def has_too_many_extremes(data: bytes) -> bool:
    """Similar text in a string, such as a checksum, does not count; strings are checked only if that matters."""
    return (
        len(data) > EXTREME_NUMBERS * MIN_EXTREME_BYTES
        and len(EXTREME.findall(data)) > EXTREME_NUMBERS
        and len(EXTREME.findall(STRINGS.sub(b"", data))) > EXTREME_NUMBERS
    )


def _is_too_deep(data: bytes) -> bool:
    """Removes the innermost pairs, level by level: a batch of backfill is long, so this must run in C.

    Unmatched brackets are not JSON, which the decoder reports better.
    """
    brackets = STRINGS.sub(b"", data).translate(SAME_BRACKETS, NOT_BRACKETS)
    for _ in range(DEPTH):
        brackets = brackets.replace(b"{}", b"")
    return b"{}" in brackets
