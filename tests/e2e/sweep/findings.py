"""What the sweep found, and its table: per language, size and theme."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

NUMBER = re.compile(r"\d+")
EITHER = "–"
"""Instead of a theme: the check does not depend on it."""


class Variant(NamedTuple):
    language: str
    size: str
    theme: str = EITHER


@dataclass(frozen=True, slots=True)
class Finding:
    variant: Variant
    where: str
    """A page, or a page and the dialog that it opens."""
    check: str
    text: str

    @property
    def kind(self) -> tuple[str, str]:
        """The same for all places with this fault."""
        return self.check, NUMBER.sub("", self.text)


@dataclass
class Findings:
    found: list[Finding] = field(default_factory=list)
    looked_at: Counter[tuple[Variant, str]] = field(default_factory=Counter)

    def add(self, variant: Variant, where: str, check: str, problems: Sequence[str], *, of: str = "pages") -> None:
        """The result of one check; `of` is what was looked at."""
        self.looked_at[variant, of] += 1
        for text in problems:
            print(f"  {' '.join(variant)} {where}, {check}: {text}", flush=True)
            self.found.append(Finding(variant, where, check, text))

    def count(self, variant: Variant, what: str, number: int) -> None:
        self.looked_at[variant, what] += number

    @property
    def kinds(self) -> int:
        return len({one.kind for one in self.found})

    def table(self) -> str:
        """Markdown: a row for each language, size and theme, then a row for each check with findings."""
        counted = sorted({what for _variant, what in self.looked_at})
        numbers = Counter(one.variant for one in self.found)
        lines = [_row("language", "size", "theme", *(f"checks of {what}" for what in counted), "findings")]
        lines.append(_row(*("---" for _ in range(len(counted) + 4))))
        for variant in sorted({variant for variant, _what in self.looked_at}):
            counts = (str(self.looked_at[variant, what]) for what in counted)
            lines.append(_row(*variant, *counts, str(numbers[variant])))
        by_check = Counter(one.check for one in self.found)
        return "\n".join([*lines, *(f"{number:4} {check}" for check, number in by_check.most_common())])

    def write(self, path: Path) -> None:
        path.write_text(json.dumps([asdict(one) for one in self.found], ensure_ascii=False, indent=1))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
