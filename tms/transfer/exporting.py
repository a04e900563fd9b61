"""Rows of the fleet as CSV that can be imported again."""

from collections.abc import Iterator
from datetime import datetime
from itertools import batched

from tms.accounts.models import User
from tms.lib.csv_text import csv_text
from tms.transfer.kinds.base import BATCH, Reach, RowKind

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"
"""Byte order mark: without it a spreadsheet misreads Japanese."""


def pieces(kind: RowKind, *, to: User, at: datetime) -> Iterator[str]:
    """All rows that the person sees, in pieces."""
    kind, reach = kind.current(), Reach(to, kind.permission, at)
    yield MARK + csv_text([[column.name for column in kind.columns]])
    for keys in batched(kind.keys(reach), BATCH):
        stored = kind.stored(keys, reach)
        yield csv_text(line for key in keys if key in stored for line in kind.lines(key, stored[key].record))


def template(kind: RowKind) -> str:
    """The columns, and two rows as an example."""
    kind = kind.current()
    examples = ([column.examples[number] for column in kind.columns] for number in (0, 1))
    return MARK + csv_text([[column.name for column in kind.columns], *examples])
