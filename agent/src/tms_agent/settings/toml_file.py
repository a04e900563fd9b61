"""The configuration file: TOML, whose keys are found again in its lines for messages."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from tms_agent.settings.errors import UsageError

MAX_BYTES = 1024 * 1024
TABLE = re.compile(r"\s*\[([^\[\]]+)\]")
MEMBER = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


class TomlFile:
    """`members` is what the file says; `where` says in which line."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError if the file cannot be read or is not TOML."""
        self.path = path
        self.folder = path.parent
        try:
            with path.open("rb") as file:
                self._text = file.read(MAX_BYTES).decode()
            self.members: Mapping[str, Any] = tomllib.loads(self._text)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: this is not TOML: {error}") from None

    def where(self, key: str) -> str:
        line = self._line_of(key)
        return f"{self.path}, line {line}, {key}" if line else f"{self.path}, {key}"

    def _line_of(self, key: str) -> int | None:
        """The line of the key, or of the table in which it is; None if it is written in another way."""
        lines = _lines_by_key(self._text)
        while key:
            if key in lines:
                return lines[key]
            key = key.rpartition(".")[0]
        return None


def _lines_by_key(text: str) -> Mapping[str, int]:
    """A scan, not a parser: a text of several lines may look like keys, so that the first line of a key wins."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := TABLE.match(line):
            table = _plain(found[1]) + "."
            lines.setdefault(table[:-1], number)
        elif found := MEMBER.match(line):
            lines.setdefault(table + _plain(found[1]), number)
    return lines


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
