"""Dates in words, and which days a calendar shows."""

from datetime import date, timedelta
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import pgettext

DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 2000, 2199


def date_text(day: date) -> str:
    # Translators: a day with its year, in Django's date format
    return date_format(day, pgettext("date format", "j M Y"))


class ShownDays(NamedTuple):
    first: date
    number: int

    @property
    def text(self) -> str:
        return f"{date_text(self.first)} – {date_text(self.first + timedelta(days=self.number - 1))}"

    @property
    def earlier(self) -> str:
        """The query of the page with the days before."""
        return self._query(-self.number)

    @property
    def later(self) -> str:
        return self._query(self.number)

    def _query(self, days: int) -> str:
        return f"?from={self.first + timedelta(days=days)}&days={self.number}"


def shown_days(text: str, *, number: int, today: date) -> ShownDays:
    """The days from the date in `text` on, otherwise from the Monday of this week."""
    try:
        first = date.fromisoformat(text)
    except ValueError:
        first = date.min
    if not FIRST_YEAR <= first.year <= LAST_YEAR:
        first = today - timedelta(days=today.weekday())
    return ShownDays(first, number)
