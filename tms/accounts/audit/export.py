"""The audit trail as JSON Lines and CSV, in pieces, so that millions of entries need no memory."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from tms.accounts.audit.chain import HASHED, contents
from tms.accounts.models.audit_entry import AuditEntry
from tms.lib.csv_text import Cell, csv_text

FORMATS = ("jsonl", "csv")
COLUMNS = ("id", "number", *HASHED, "hash")
AT_ONCE = 1_000

type Entry = dict[str, Any]


def pieces(rows: QuerySet[AuditEntry], form: str) -> Iterator[str]:
    """`rows` in the order of their primary keys, as text in one of `FORMATS`."""
    if form == "csv":
        yield csv_text([COLUMNS])
    for entries in _batches(rows):
        if form == "csv":
            yield csv_text([[_cell(entry[name]) for name in COLUMNS] for entry in entries])
        else:
            yield "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)


def _batches(rows: QuerySet[AuditEntry]) -> Iterator[list[Entry]]:
    last = 0
    while found := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", "number", "hash", *HASHED)[:AT_ONCE]):
        last = found[-1][0]
        yield [
            {"id": pk, "number": number} | contents(values) | {"hash": digest} for pk, number, digest, *values in found
        ]


def _cell(value: Any) -> Cell:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
