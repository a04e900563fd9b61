"""Checks on the raw text of a frame that a typed decoder does not make."""

import re

from tms.protocol.errors import ErrorType, FrameError
from tms.protocol.limits import DEPTH

STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
SAME_BRACKETS = bytes.maketrans(b"[]", b"{}")
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def check_shape(data: bytes) -> None:
    """Refuse what nests too deep, and U+0000, which PostgreSQL cannot store."""
    if data.count(b"{") + data.count(b"[") > DEPTH and _is_too_deep(data):
        raise FrameError(ErrorType.TOO_DEEP, f"a frame nests at most {DEPTH} arrays and objects")
    if b"\\u0000" in data and NUL.search(data):
        raise FrameError(ErrorType.BAD_FRAME, "a string may not hold U+0000")


def _is_too_deep(data: bytes) -> bool:
    """Takes the innermost pairs away, level by level: a batch of backfill is long, so this must run in C.

    What does not pair is not JSON, which the decoder says better.
    """
    brackets = STRINGS.sub(b"", data).translate(SAME_BRACKETS, NOT_BRACKETS)
    for _ in range(DEPTH):
        brackets = brackets.replace(b"{}", b"")
    return b"{}" in brackets
