"""What a search finds: hits, in groups of one kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import pgettext

from tms.accounts.models import User

type Text = str | Promise

MAX_COUNTED_HITS = 1_000
"""A count ends here, so that its cost does not grow with the fleet."""


class Fit(IntEnum):
    """How well a name fits the terms."""

    EQUAL = 0
    BEGINS = 1
    WORD_BEGINS = 2
    CONTAINS = 3
    ELSEWHERE = 4
    """The terms are only in other columns."""


class SourceQuery(NamedTuple):
    """What every source is asked."""

    terms: tuple[str, ...]
    person: User
    at: datetime
    limit: int
    """The most hits of a group."""
    query: str = ""
    """The text, if it is a query about terminals."""

    @property
    def text(self) -> str:
        return " ".join(self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    kind: str
    """`site`, `terminal`, `incident`, …; with `name` it identifies the row."""
    name: str
    title: str
    href: str = ""
    icon: str = ""
    detail: str = ""
    severity: str = ""
    presence: str = ""
    """Drawn instead of the icon."""
    end: str = ""
    """Short text at the end of the line."""
    end_presence: str = ""
    since: datetime | None = None
    keys: tuple[str, ...] = ()
    """The keyboard shortcut."""
    method: str = ""
    """`get` opens a dialog on the page where the person is, `post` acts at once; otherwise the hit is a link."""
    form: str = ""
    """Name of the URL to which a button posts `value` as `field`."""
    field: str = ""
    value: str = ""
    fit: Fit = Fit.ELSEWHERE
    row: Any = None
    """Whose actions are offered."""

    @property
    def about(self) -> str:
        """Where the actions of the hit are found: `site:SJK`; empty if it has none."""
        return f"{self.kind}:{self.name}" if self.row is not None else ""


@dataclass(frozen=True, slots=True)
class HitGroup:
    name: str
    label: Text
    hits: Sequence[Hit]
    total: int
    """How many hits there are, at most MAX_COUNTED_HITS + 1."""
    more: str = ""
    """URL of the list of all of them."""

    @property
    def is_capped(self) -> bool:
        return self.total > MAX_COUNTED_HITS

    @property
    def number(self) -> int:
        return min(self.total, MAX_COUNTED_HITS)

    @property
    def number_text(self) -> str:
        return capped_text(self.total)

    @property
    def is_cut(self) -> bool:
        return self.total > len(self.hits)

    @property
    def fit(self) -> Fit:
        return min((hit.fit for hit in self.hits), default=Fit.ELSEWHERE)


def capped_text(number: int) -> str:
    """A number that was counted up to `MAX_COUNTED_HITS`: `257`, or `1,000+`."""
    return f"{MAX_COUNTED_HITS:,}+" if number > MAX_COUNTED_HITS else f"{number:,}"


def count_hits(rows: QuerySet[Model], listed: Sequence[object], limit: int) -> int:
    """How many `rows` there are, if `listed` are the first of them."""
    return len(listed) if len(listed) < limit else rows.order_by()[: MAX_COUNTED_HITS + 1].count()


def fit_of(terms: Sequence[str], *names: str) -> Fit:
    """How well the best of the names fits."""
    text = " ".join(terms).casefold()
    return min((_fit(text, name.casefold()) for name in names if name), default=Fit.ELSEWHERE)


def _fit(text: str, name: str) -> Fit:
    if name == text:
        return Fit.EQUAL
    if name.startswith(text):
        return Fit.BEGINS
    if any(word.startswith(text) for word in name.replace("-", " ").split()):
        return Fit.WORD_BEGINS
    return Fit.CONTAINS if text in name else Fit.ELSEWHERE


def join_texts(*texts: str) -> str:
    """The texts with commas between them, as the language writes them; without empty ones."""
    return pgettext("between the parts of a list", ", ").join(filter(None, texts))


def listing(url: str, **query: str) -> str:
    """URL of a list with a filter."""
    return f"{reverse(url)}?{urlencode(query)}"
