"""Kinds of rows that files hold: their columns, how the database has them, and how they are written."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet, RestrictedError
from django.utils.functional import Promise

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING, Scope
from tms.fleet.models import IdentitySource, Region, Site, Terminal
from tms.transfer.kinds.cells import BadCell, FileColumn
from tms.transfer.nearest import MAX_KNOWN, Nearest
from tms.transfer.rows import FileRow, Key, Record, StoredRow

BATCH = 1_000
"""Rows of one statement."""


@dataclass(frozen=True)
class Reach:
    """What a person may change: within the permission of the kind and, in an import, that to import."""

    person: User
    permission: Permission
    at: datetime
    is_import: bool = True
    nearest: Nearest = field(default_factory=Nearest)

    def nearest_terminal(self, uid: str) -> str:
        """The most similar UID that begins like this one, of a terminal that the person sees."""
        similar = self.visible(Terminal.objects.filter(uid__istartswith=uid[:2])).order_by("uid")
        return self.nearest(uid, similar.values_list("uid", flat=True)[:MAX_KNOWN])

    def permitted(self, rows: QuerySet[Any]) -> set[int]:
        """Primary keys of the `rows` that the person may change."""
        for permission in self._permissions:
            rows = access.permitted(rows, by=self.person, permission=permission)
        return set(rows.order_by().values_list("pk", flat=True))

    def may_within(self, scope: Scope) -> bool:
        return all(access.may_within(self.person, permission, scope) for permission in self._permissions)

    @property
    def _permissions(self) -> tuple[Permission, ...]:
        return (Permission.IMPORT_FLEET, self.permission) if self.is_import else (self.permission,)

    def visible[Rows: QuerySet[Any]](self, rows: Rows) -> Rows:
        return access.visible(rows, to=self.person)

    def seen_terminals(self, uids: Iterable[str]) -> set[str]:
        """The UIDs among these that belong to terminals which the person sees."""
        found: set[str] = set()
        for some in batched(set(uids), BATCH):
            visible = self.visible(Terminal.objects.filter(uid__in=some)).order_by()
            found.update(visible.values_list("uid", flat=True))
        return found

    @property
    def sees_everything(self) -> bool:
        return access.scope_of(self.person).is_everything

    @cached_property
    def sites(self) -> dict[str, int]:
        """The sites that the person sees, by code."""
        return dict(self.visible(Site.objects.all()).order_by().values_list("code", "pk"))

    @cached_property
    def permitted_sites(self) -> set[int]:
        return self.permitted(Site.objects.all())

    @cached_property
    def closed_sites(self) -> set[int]:
        return set(Site.objects.exclude(closed_at=None).order_by().values_list("pk", flat=True))

    @cached_property
    def regions(self) -> set[str]:
        return set(self.visible(Region.objects.all()).order_by().values_list("name", flat=True))


@dataclass(frozen=True)
class Work:
    """One application of an import or a bulk edit, or its reversal."""

    reach: Reach
    advance: Callable[[int], None]
    """Called with the number of rows that are done."""

    @property
    def by(self) -> User:
        return self.reach.person

    @property
    def at(self) -> datetime:
        return self.reach.at

    @property
    def source(self) -> IdentitySource:
        return IdentitySource.IMPORT if self.reach.is_import else IdentitySource.EDIT


class MovedMeanwhile(Exception):
    """Somebody moved or deleted a terminal after it was checked, and before it was locked."""


class RowKind(ABC):
    name: str
    """The word in addresses and in the database."""
    label: Promise
    model: type[Model]
    permission: Permission
    key: tuple[str, ...]
    """The columns that identify a row."""
    columns: tuple[FileColumn, ...]
    needs_all_columns = False

    def current(self) -> "RowKind":
        """The kind with the columns that files have now: customers define some."""
        return self

    @cached_property
    def column(self) -> dict[str, FileColumn]:
        return {column.name: column for column in self.columns}

    @cached_property
    def defaults(self) -> Record:
        """What an empty cell of a new row means. Attributes are left out: a row has only those with a value."""
        return {column.name: column.default for column in type(self).columns if column.name not in self.key}

    def gather(self, rows: list[FileRow]) -> list[FileRow]:
        """One row for each key. Rows with the same key are refused."""
        refuse_repeated(rows, self.key[-1], lambda row: row.key if row.key[0] else None)
        return rows

    def normal(self, name: str, value: Any) -> Any:
        """A stored value as the file would have it: without blanks around it, for instance."""
        column = self.column.get(name)
        try:
            return column.read(value) if column and isinstance(value, str) else value
        except BadCell:
            return value

    @abstractmethod
    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        """The rows with these keys, whether the person sees them or not."""

    @abstractmethod
    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        """Refuse rows that refer to what is not there, and those that the person may not change."""

    def absent(self, rows: Sequence[FileRow], reach: Reach) -> list[FileRow]:
        """Stored rows that the file should have, and has not. None, if a file need not be complete."""
        return []

    @abstractmethod
    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        """Create and change rows. Call it in a transaction, with rows that were checked."""

    @abstractmethod
    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        """Delete rows that an import created, unless they are in use. Returns the keys of the deleted ones."""

    def revert(self, rows: Sequence[FileRow], work: Work) -> None:
        """Give changed rows back what they had."""
        self.write([row.reversed() for row in rows], work)

    def check_reverting(self, rows: Sequence[FileRow], reach: Reach) -> None:
        """Refuse applied rows that the person may not change back."""
        self.check([row.reversed() for row in rows], reach)

    @abstractmethod
    def keys(self, reach: Reach) -> list[Key]:
        """The keys of all rows that the person sees, in the order of an export."""

    def lines(self, key: Key, record: Record) -> Iterator[list[str]]:
        """The lines of a row in a file."""
        values = {**dict(zip(self.key, key, strict=True)), **record}
        yield [values.get(column.name, "") for column in self.columns]

    def check_permitted(self, rows: Iterable[FileRow], reach: Reach, *, unseen: str = "taken") -> None:
        """Refuse stored rows that the person does not see, for the reason `unseen`, or may not change."""
        if reach.may_within(EVERYTHING):
            return
        known = {row.pk: row for row in rows if row.pk is not None}
        for pks in batched(known, BATCH):
            found = self.model._base_manager.filter(pk__in=pks)
            permitted = reach.permitted(found)
            seen = permitted | set(reach.visible(found).order_by().values_list("pk", flat=True))
            for pk in set(pks) - permitted:
                row = known[pk]
                if pk not in seen:
                    row.refuse(self.key[-1], row.key[-1], unseen)
                elif row.after or row.before:
                    row.refuse(self.key[-1], row.key[-1], "forbidden")


def refuse_repeated(rows: Iterable[FileRow], column: str, value_of: Callable[[FileRow], Key | None]) -> None:
    """Refuse rows with the same value, and the first that has it once: either may be the wrong one."""
    first: dict[Key, FileRow] = {}
    refused: set[int] = set()
    for row in rows:
        value = value_of(row)
        if value is None or (same := first.setdefault(value, row)) is row:
            continue
        row.refuse(column, value[-1], "twice", line=same.line)
        if same.line not in refused:
            refused.add(same.line)
            same.refuse(column, value[-1], "twice", line=row.line)


def check_site(row: FileRow, reach: Reach, *, column: str = "site") -> None:
    """The site in a column is there, open, and within the permissions."""
    code = row.after.get(column, "")
    if not code:
        return
    pk = reach.sites.get(code)
    if pk is None:
        row.refuse(column, code, "unknown-site", reach.nearest(code, reach.sites))
    elif pk not in reach.permitted_sites:
        row.refuse(column, code, "forbidden-site")
    elif pk in reach.closed_sites:
        row.refuse(column, code, "site-closed")


def site_pks(codes: Iterable[str]) -> dict[str, int]:
    wanted = set(codes)
    return {
        code: pk
        for some in batched(wanted, BATCH)
        for code, pk in Site.objects.filter(code__in=some).order_by().values_list("code", "pk")
    }


def terminal_pks(uids: Iterable[str]) -> dict[str, int]:
    return dict(Terminal.objects.filter(uid__in=set(uids)).order_by().values_list("uid", "pk"))


def delete_unused(model: type[Model], rows: Sequence[FileRow], stored: dict[Key, StoredRow]) -> set[Key]:
    """Delete rows that nothing refers to, many at once if it is possible."""
    deleted: set[Key] = set()
    for some in batched([row.key for row in rows if row.key in stored], BATCH):
        deleted |= _delete(model, some, stored)
    return deleted


def _delete(model: type[Model], keys: Sequence[Key], stored: dict[Key, StoredRow]) -> set[Key]:
    try:
        with transaction.atomic():
            model._base_manager.filter(pk__in=[stored[key].pk for key in keys]).delete()
        return set(keys)
    except (ProtectedError, RestrictedError):
        if len(keys) == 1:
            return set()
    middle = len(keys) // 2
    return _delete(model, keys[:middle], stored) | _delete(model, keys[middle:], stored)


def split_rows(rows: Iterable[FileRow]) -> tuple[list[FileRow], list[FileRow]]:
    """New rows, and changed ones."""
    found: defaultdict[bool, list[FileRow]] = defaultdict(list)
    for row in rows:
        found[row.pk is None].append(row)
    return found[True], found[False]
