"""The hash chain of the audit trail: each entry carries a hash of its content and of the entry before it.

An entry's content is hashed as the database returns it, so that a row that was edited there no longer fits. The hash is
SHA-256 over the hash of the entry before, a line feed, and the content as JSON with sorted keys (docs/audit.md).
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

from tms.accounts.models.audit_entry import AuditEntry

HASHED = (
    *("at", "actor_name", "token_name", "via", "address"),
    *("action", "subject_type", "subject_id", "subject_name", "changes", "comment"),
)
"""The columns of the content. Foreign keys are left out: deleting a person empties them."""
COLUMNS = ("pk", "number", "hash", *HASHED)
READ_AT_ONCE = 2_000

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class ChainedEntry(NamedTuple):
    """An entry of the chain as the database returns it."""

    pk: int
    number: int
    hash: str
    values: tuple[Any, ...]
    """The values of the columns `HASHED`."""

    def content(self) -> dict[str, Any]:
        return {"id": self.pk, "number": self.number} | contents(self.values)

    def is_sealed_after(self, previous: str) -> bool:
        """Whether it is what was sealed after the entry with the hash `previous`."""
        return self.hash == hash_of(previous, self.pk, self.number, self.values)


def contents(values: Iterable[Any]) -> dict[str, Any]:
    """Values of `HASHED` by name, ready for JSON."""
    at, *others = values
    return {"at": instant(at)} | dict(zip(HASHED[1:], others, strict=True))


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(previous: str, pk: int, number: int, values: Iterable[Any]) -> str:
    """The hash of an entry in hexadecimal digits. `previous` is that of the entry before; empty for the first."""
    text = _encoder.encode({"id": pk, "number": number} | contents(values))
    # SQLite returns lone surrogates as they were stored.
    return sha256(f"{previous}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def entries_between(first: int, last: int) -> Iterator[ChainedEntry]:
    """The entries from number `first` to `last`, in order, a few thousand in memory."""
    while rows := _read(first, last):
        yield from rows
        first = rows[-1].number + 1


def _read(first: int, last: int) -> list[ChainedEntry]:
    rows = AuditEntry.objects.filter(number__gte=first, number__lte=last).order_by("number")
    found = rows.values_list(*COLUMNS)[:READ_AT_ONCE]
    return [ChainedEntry(pk, number, digest, values) for pk, number, digest, *values in found]
