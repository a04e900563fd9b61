"""Instants in RFC 3339. Before Python 3.11, `datetime.fromisoformat` does not read all of it."""

import re
from datetime import datetime

INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
MICROSECONDS = 6
"""Digits of a second's fraction that a datetime keeps."""


def parse(text: str) -> datetime:
    """Raises ValueError if `text` is not an instant with an offset."""
    found = INSTANT.fullmatch(text)
    if not found:
        raise ValueError("expected an instant such as 2026-11-25T09:30:00+09:00")
    day, time, fraction, offset = found.groups(default="0")
    offset = "+00:00" if offset in "Zz" else offset
    return datetime.fromisoformat(f"{day}T{time}.{fraction[:MICROSECONDS]:0<{MICROSECONDS}}{offset}")


def format_instant(at: datetime) -> str:
    text = at.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
