"""Regions in files."""

from collections.abc import Collection, Sequence
from itertools import batched

from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.models import Region
from tms.fleet.regions.services import uses_of
from tms.transfer.kinds.base import BATCH, Reach, RowKind, Work, delete_unused, split_rows
from tms.transfer.kinds.cells import FileColumn, text
from tms.transfer.rows import FileRow, Key, StoredRow


class RegionRows(RowKind):
    name = "regions"
    label = _("Regions")
    model = Region
    permission = Permission.EDIT_SITES
    key = ("name",)
    columns = (
        FileColumn("name", text(100), ("Kanto", "Kansai"), is_required=True),
        FileColumn("name_ja", text(100), ("関東", "関西")),
    )

    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        names = [name for (name,) in keys]
        return {
            (name,): StoredRow(pk, {"name_ja": name_ja})
            for some in batched(names, BATCH)
            for pk, name, name_ja in Region.objects.filter(name__in=some).values_list("pk", "name", "name_ja")
        }

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach)
        for row in rows:
            if row.pk is None and not reach.may_within(Scope.of(region=row.key[0])):
                row.refuse("name", row.key[0], "forbidden-region")

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        new, changed = split_rows(rows)
        Region.objects.bulk_create((Region(name=row.key[0], **row.after) for row in new), batch_size=BATCH)
        Region.objects.bulk_update(
            [Region(pk=row.pk, name_ja=row.after["name_ja"]) for row in changed], ["name_ja"], batch_size=BATCH
        )
        work.advance(len(rows))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        stored = self.stored([row.key for row in rows], work.reach)
        unused = [row for row in rows if row.key in stored and not uses_of(Region(name=row.key[0]))]
        return delete_unused(Region, unused, stored)

    def keys(self, reach: Reach) -> list[Key]:
        return [(name,) for name in sorted(reach.regions)]
