"""The list of terminals as CSV: the columns that are shown, in their order."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched

from django.db.models import QuerySet

from tms.boards.columns.extras import extras_of
from tms.boards.columns.terminals import Extras, TerminalColumn
from tms.boards.list_filters.terminal_orders import SORTED_ROWS, ordered
from tms.boards.rows.terminals import TerminalRow, terminal_rows
from tms.fleet.models import Terminal
from tms.lib.csv_export import Cell, More
from tms.lib.sort_order import SortOrder

AT_ONCE = 500
MAX_ROWS = 100_000


def head_of(columns: Sequence[TerminalColumn]) -> list[str]:
    """The names of all columns; two that are shown may have one in common."""
    return list(dict.fromkeys(name for column in columns for name in column.heads))


def rows_to_export(
    terminals: QuerySet[Terminal],
    order: SortOrder,
    columns: Sequence[TerminalColumn],
    *,
    at: datetime,
) -> More:
    """Their primary keys are read at once, because most orders have no index; the rows in chunks."""
    chunks = _chunks(terminals, order, columns, at=at)
    return lambda: next(chunks, ())


def _chunks(
    terminals: QuerySet[Terminal],
    order: SortOrder,
    columns: Sequence[TerminalColumn],
    *,
    at: datetime,
) -> Iterator[Sequence[Sequence[Cell]]]:
    number = terminals.order_by()[: SORTED_ROWS + 1].count()
    rows, keyset = ordered(terminals, order, number=number)
    extra = [column.name for column in columns if column.is_extra]
    for pks in batched(keyset.window(rows, size=MAX_ROWS).pks, AT_ONCE):
        found, extras = terminal_rows(pks, at=at), extras_of(pks, extra)
        yield [_cells(columns, found[pk], dict(extras[pk])) for pk in pks if pk in found]


def _cells(columns: Sequence[TerminalColumn], row: TerminalRow, extras: Extras) -> list[Cell]:
    named: dict[str, Cell] = {}
    for column in columns:
        named.update(zip(column.heads, column.cells(row, extras), strict=True))
    return list(named.values())
