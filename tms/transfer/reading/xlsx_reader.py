"""The first sheet of a workbook, row by row. A process of its own reads it, because the content may be hostile."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator

from tms.transfer.reading.files import MAX_BYTES, MAX_COLUMNS, MAX_LINES, UnreadableFile

WITHIN_S = 30
MAX_CPU_S = 20
MAX_MEMORY = 1024 * 1024 * 1024
"""Bytes of its address space. Sixty thousand rows take a tenth of it."""


def lines(data: bytes) -> Iterator[list[str]]:
    try:
        from tms.transfer.reading import workbook_process as child
    except ImportError:
        raise UnreadableFile("no-xlsx") from None
    limits = map(str, (MAX_CPU_S, MAX_MEMORY, MAX_LINES + 1, MAX_COLUMNS, MAX_BYTES))
    command = [sys.executable, "-I", child.__file__, *limits]
    try:
        ended = subprocess.run(command, input=data, capture_output=True, timeout=WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        raise UnreadableFile("workbook-too-large") from None
    if ended.returncode in (child.TOO_LARGE, -signal.SIGXCPU, -signal.SIGKILL):
        raise UnreadableFile("workbook-too-large")
    if ended.returncode:
        raise UnreadableFile("bad-xlsx")
    return map(json.loads, ended.stdout.splitlines())
