"""What a site has several of: its contacts, its opening hours. A file has all of them for each site that it names."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from itertools import batched
from typing import Any

from tms.accounts.permissions import Permission
from tms.fleet.models import Site
from tms.transfer.kinds.base import BATCH, Reach, RowKind, Work
from tms.transfer.rows import FileRow, Key, Record, StoredRow

type Entry = list[str]
"""Values of the columns after `site`."""


class SiteEntries(RowKind):
    """A row is a site, and its value the list of its entries. A line with nothing but the site stands for none."""

    model = Site
    permission = Permission.EDIT_SITES
    key = ("site",)
    needs_all_columns = True
    max_entries = 100

    def gather(self, rows: list[FileRow]) -> list[FileRow]:
        gathered: dict[Key, FileRow] = {}
        for line in rows:
            entry = [line.given.get(column.name, "") for column in self.columns[1:]]
            row = gathered.setdefault(line.key, FileRow(line.line, line.key, {self.name: []}))
            if any(entry):
                self.check_entry(line, entry)
                row.given[self.name].append(entry)
            row.faults += line.faults
        for row in gathered.values():
            row.given[self.name] = self.ordered(row.given[self.name])
            if len(row.given[self.name]) > self.max_entries:
                row.refuse("site", row.key[0], "too-many-entries", most=self.max_entries)
        return list(gathered.values())

    @abstractmethod
    def check_entry(self, line: FileRow, entry: Entry) -> None:
        """Refuse an entry that cannot be."""

    def ordered(self, entries: list[Entry]) -> list[Entry]:
        return entries

    @abstractmethod
    def entries(self, sites: Sequence[int]) -> Iterator[tuple[int, Entry]]:
        """The stored entries of sites, by primary key."""

    @abstractmethod
    def replace(self, entries: dict[int, list[Entry]]) -> None:
        """Give each site, by its primary key, these entries instead of those that it has."""

    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        found: dict[Key, StoredRow] = {}
        for some in batched([code for (code,) in keys], BATCH):
            codes = dict(Site.objects.filter(code__in=some).order_by().values_list("pk", "code"))
            lists: dict[int, list[Entry]] = {pk: [] for pk in codes}
            for pk, entry in self.entries(list(codes)):
                names = (column.name for column in self.columns[1:])
                lists[pk].append([self.normal(name, cell) for name, cell in zip(names, entry, strict=True)])
            found |= {(codes[pk],): StoredRow(pk, {self.name: self.ordered(known)}) for pk, known in lists.items()}
        return found

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach, unseen="unknown-site")
        for row in rows:
            if row.pk is None:
                row.refuse("site", row.key[0], "unknown-site", reach.nearest(row.key[0], reach.sites))

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        for some in batched(rows, BATCH):
            self.replace({row.pk: row.after[self.name] for row in some if row.pk is not None})
            work.advance(len(some))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        return set()

    def keys(self, reach: Reach) -> list[Key]:
        return [(code,) for code in sorted(reach.sites)]

    def lines(self, key: Key, record: Record) -> Iterator[list[str]]:
        for entry in record[self.name]:
            yield [*key, *entry]


def numbered(entries: dict[int, list[Entry]]) -> Iterator[tuple[int, int, Any]]:
    """Site, position and entry."""
    for site, listed in entries.items():
        for position, entry in enumerate(listed):
            yield site, position, entry
