"""The order of versions, the same as that of TMS: 4.9 comes before 4.10, 4.8-rc1 before 4.8, and 4.8.0 equals 4.8."""

import re

PARTS = re.compile(r"[0-9]+|[a-z]+")
LETTERS, END, NUMBER = range(3)
"""Letters after a number come before its end, and further numbers after it."""

Part = tuple[int, int | str]


def version_key(version: str) -> list[Part]:
    """It has at most a few dozen parts: a version has 64 characters."""
    keys: list[Part] = []
    parts = PARTS.findall(version.lower()[:64])
    if parts[:1] == ["v"] and version[1:2].isdigit():
        del parts[0]
    for part in parts:
        if part.isdigit():
            keys.append((NUMBER, int(part)))
        else:
            _drop_zeros(keys)
            keys.append((LETTERS, part))
    _drop_zeros(keys)
    return [*keys, (END, 0)]


def _drop_zeros(keys: list[Part]) -> None:
    while keys and keys[-1] == (NUMBER, 0):
        keys.pop()
