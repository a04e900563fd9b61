"""The order of a list, chosen by the headers of its columns, and part of the URL: `order=site`, or `order=-site`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from django.http import QueryDict

ASCENDING, DESCENDING = "ascending", "descending"
"""Values of `aria-sort`."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    column: str
    is_descending: bool = False

    @classmethod
    def of(cls, query: QueryDict, columns: Collection[str], *, default: Self) -> Self:
        """The order that a URL names; the default if it names none of the columns."""
        text = query.get("order", "")
        column = text.removeprefix("-")
        return cls(column, text.startswith("-")) if column in columns else default

    def parameter(self, *, default: Self) -> str:
        """Its value in the URL; empty for the default."""
        if self == default:
            return ""
        return f"-{self.column}" if self.is_descending else self.column

    @property
    def reversed(self) -> Self:
        return type(self)(self.column, not self.is_descending)


class SortHeader(NamedTuple):
    """The header of a column, as `boards/sort-header.html` renders it."""

    address: str
    """The list in the order of this column, or in the reverse one if it already is."""
    sort: str
    """The direction; empty if the list has another order."""


def sort_headers(
    current: SortOrder, first: Mapping[str, bool], *, address: Callable[[SortOrder], str]
) -> dict[str, SortHeader]:
    """The headers of all columns. `first`: whether the order that a click chooses is descending, by column."""
    direction = DESCENDING if current.is_descending else ASCENDING
    return {
        column: SortHeader(address(current.reversed), direction)
        if column == current.column
        else SortHeader(address(SortOrder(column, is_descending)), "")
        for column, is_descending in first.items()
    }
