"""Counts of rows by group, updated row by row."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Self

from django.db.models import Model, QuerySet, StringAgg, TextField, Value
from django.db.models.functions import Cast

from tms.lib.db.prepared import QueryByKeys

MAX_LEFT = 20_000

type RowsBySite = dict[int | None, set[int]]


class GroupCounter[Key: tuple[Any, ...]]:
    """Number of rows per group. A row that changes its group updates two counts."""

    def __init__(self, columns: Collection[str], by_keys: QueryByKeys | None = None) -> None:
        self._columns = columns
        """The columns that define the group of a row. The first one is the site."""
        self._by_keys = by_keys
        """Reads the primary key and the columns of rows by key, if the ORM need not make the query each time."""
        self._of: dict[int, Key] = {}
        self._left: dict[int, Key] = {}
        """The last group of each row that left its site lately: because it moved, or is no longer counted."""
        self._counts: Counter[Key] = Counter()

    @property
    def counts(self) -> dict[Key, int]:
        return {key: number for key, number in self._counts.items() if number}

    def begin(self, rows: QuerySet[Model]) -> None:
        """Start again with `rows`."""
        groups = self.grouped(rows)
        self._of = {pk: key for key, pks in groups.items() for pk in pks}
        self._left = {}
        self._counts = Counter({key: len(pks) for key, pks in groups.items()})

    def renew(self, rows: QuerySet[Model], pks: Collection[int]) -> None:
        """Update the groups of `pks`; those that are not among `rows` are no longer counted."""
        found = self._find_keys(rows, pks)
        for pk in pks:
            self._put(pk, found.get(pk))

    def part(self, pks: Iterable[int]) -> Self:
        """A counter of these rows, as far as they are counted here. `follow` updates it."""
        part = type(self)(self._columns)
        for pk in pks:
            part._put(pk, self._of.get(pk))
        return part

    def follow(self, whole: Self, pks: Collection[int], among: Collection[int]) -> None:
        """Update the groups of `pks` from `whole`, of which this is a part; only those `among` are counted."""
        for pk in pks:
            self._put(pk, whole._of.get(pk) if pk in among else None)

    def counts_row(self, pk: int) -> bool:
        return pk in self._of

    def has_left(self, pk: int) -> bool:
        """Whether the row left its site lately."""
        return pk in self._left

    def by_site(self, pks: Iterable[int]) -> RowsBySite:
        """`pks` by their site, and by the one that they left lately. Rows that are unknown here are at None."""
        found: RowsBySite = {}
        for pk in pks:
            keys = [key for key in (self._of.get(pk), self._left.get(pk)) if key is not None]
            for site in {key[0] for key in keys} or (None,):
                found.setdefault(site, set()).add(pk)
        return found

    def grouped(self, rows: QuerySet[Model]) -> Mapping[Key, list[int]]:
        """Primary keys by group. One result row per group: 50,000 rows would cost 50,000 tuples."""
        grouped_rows = rows.values_list(*self._columns).annotate(pks=StringAgg(Cast("pk", TextField()), Value(",")))
        return {tuple(row[:-1]): [int(pk) for pk in row[-1].split(",")] for row in grouped_rows}  # type: ignore[misc]

    def mismatches(self, groups: Mapping[Key, Iterable[int]]) -> set[int]:
        """Rows whose group here differs from `groups`, which cover the whole table."""
        groups_by_pk = {pk: key for key, pks in groups.items() for pk in pks}
        differing = {pk for pk, key in groups_by_pk.items() if self._of.get(pk) != key}
        return differing | (self._of.keys() - groups_by_pk.keys())

    def remaining_mismatches(self, rows: QuerySet[Model], pks: Collection[int]) -> set[int]:
        found = self._find_keys(rows, pks)
        return {pk for pk in pks if self._of.get(pk) != found.get(pk)}

    def _find_keys(self, rows: QuerySet[Model], pks: Collection[int]) -> Mapping[int, Key]:
        found = self._by_keys(pks) if self._by_keys else rows.filter(pk__in=pks).values_list("pk", *self._columns)
        return {row[0]: row[1:] for row in found}  # type: ignore[misc]

    def _put(self, pk: int, key: Key | None) -> None:
        before = self._of.pop(pk, None)
        if before is not None:
            self._counts[before] -= 1
            if key is None or key[0] != before[0]:
                self._leave(pk, before)
        if key is not None:
            self._of[pk] = key
            self._counts[key] += 1

    def _leave(self, pk: int, before: Key) -> None:
        self._left[pk] = before
        if len(self._left) > MAX_LEFT:
            # Half of them at once: copying the dictionary for each row that leaves would cost too much.
            self._left = dict(list(self._left.items())[MAX_LEFT // 2 :])
