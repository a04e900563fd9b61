"""Checks on the raw text of a frame that a typed decoder does not make."""

import re

from tms.protocol.errors import ErrorType, FrameError
from tms.protocol.limits import DEPTH

STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_shape(data: bytes) -> None:
    """Refuse what nests too deep, and U+0000, which PostgreSQL cannot store."""
    if data.count(b"{") + data.count(b"[") > DEPTH and _depth(data) > DEPTH:
        raise FrameError(ErrorType.TOO_DEEP, f"a frame nests at most {DEPTH} arrays and objects")
    if b"\\u0000" in data:
        raise FrameError(ErrorType.BAD_FRAME, "a string may not hold U+0000")


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for byte in STRINGS.sub(b"", data):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest
