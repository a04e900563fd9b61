"""Calendar months: of reports, in the URL as `2026-10`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tms.lib.calendar.dates import DAY

WRITTEN = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class Month(NamedTuple):
    year: int
    number: int
    """The number of the month; 1 is January."""

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def parsed(cls, text: str) -> Month | None:
        found = WRITTEN.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return self.shifted(1).first - DAY

    def shifted(self, months: int) -> Month:
        years, index = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, index + 1)

    def until(self, number: int) -> Iterator[Month]:
        """The last `number` months, this one included, oldest first."""
        return (self.shifted(back) for back in range(1 - number, 1))
