"""The result of a handler, from what it wrote."""

import os
import stat
from pathlib import Path
from typing import Any

from tms_agent.device.source import CommandError
from tms_agent.protocol import json_text, limits
from tms_agent.reports import clean

MAX_RESULT_BYTES = 32 * 1024


def result_of(output: bytes) -> Any:
    """The JSON value, or the text as `output`; None if nothing was written.

    What TMS does not take as JSON is a text, too. Raises CommandError.
    """
    if len(output) > MAX_RESULT_BYTES:
        raise CommandError(f"the result is larger than {MAX_RESULT_BYTES} bytes")
    if not output.strip():
        return None
    try:
        return _clean(json_text.decode(output), limits.DEPTH - 1)
    except ValueError:
        text = output.decode(errors="replace").rstrip()
        return {"output": clean(text, len(text))}


def read_result_file(path: Path | None) -> bytes:
    """Empty without one. At most one byte more than a result may have."""
    if path is None:
        return b""
    try:
        # The handler may have made anything of it, such as a pipe that nobody writes to.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        return file.read(MAX_RESULT_BYTES + 1) if is_file else b""


def _clean(value: Any, depth: int) -> Any:
    """`value` without U+0000, which TMS rejects. Raises ValueError if it is nested too deeply."""
    if isinstance(value, str):
        return clean(value, len(value))
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {clean(name, len(name)): _clean(member, depth - 1) for name, member in value.items()}
    return [_clean(item, depth - 1) for item in value]
