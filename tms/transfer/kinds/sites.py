"""Sites in files."""

from collections.abc import Collection, Sequence
from itertools import batched

from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.groups import dynamic
from tms.fleet.models import AttributeSubject, OnHolidays, Site
from tms.transfer.kinds.base import BATCH, Reach, Work, delete_unused, split_rows
from tms.transfer.kinds.cells import FileColumn, choice, holiday_calendar, site_code, text, time_zone
from tms.transfer.kinds.labelled import TAG_COLUMN, LabelledRows
from tms.transfer.rows import FileRow, Key, StoredRow

OWN = ("name", "name_ja", "region", "address", "time_zone", "holiday_calendar", "on_holidays")


class SiteRows(LabelledRows):
    name = "sites"
    label = _("Sites")
    model = Site
    subject = AttributeSubject.SITE
    permission = Permission.EDIT_SITES
    key = ("code",)
    columns = (
        FileColumn("code", site_code, ("SJK", "UEN"), is_required=True),
        FileColumn("name", text(100), ("Shinjuku South", "Ueno"), is_required=True),
        FileColumn("name_ja", text(100), ("新宿南口", "上野")),
        FileColumn("region", text(100), ("Kanto", "Kanto")),
        FileColumn("address", text(200)),
        FileColumn("time_zone", time_zone, ("Asia/Tokyo", "Asia/Tokyo"), default="Asia/Tokyo"),
        FileColumn("holiday_calendar", holiday_calendar, ("JP", "JP")),
        FileColumn("on_holidays", choice(OnHolidays), ("as_usual", "closed"), default=OnHolidays.AS_USUAL.value),
        TAG_COLUMN,
    )

    def stored_rows(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        return {
            (code,): StoredRow(pk, dict(zip(OWN, values, strict=True)))
            for some in batched([code for (code,) in keys], BATCH)
            for pk, code, *values in Site.objects.filter(code__in=some).order_by().values_list("pk", "code", *OWN)
        }

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach)
        for row in rows:
            region = row.after.get("region")
            if region is None:
                continue
            if region and region not in reach.regions:
                row.refuse("region", region, "unknown-region", reach.nearest(region, reach.regions))
            elif not reach.may_within(Scope.of(region=region)):
                row.refuse("region", region, "forbidden-region")
        self.check_labels(rows, reach)

    def may_label_new(self, row: FileRow, reach: Reach) -> bool:
        return reach.may_within(Scope.of(region=row.after["region"]))

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        new, changed = split_rows(rows)
        for some in batched(new, BATCH):
            made = Site.objects.bulk_create(
                Site(code=row.key[0], **{name: row.after[name] for name in OWN}) for row in some
            )
            for row, site in zip(some, made, strict=True):
                row.pk = site.pk
            self.write_labels(some, are_new=True)
            work.advance(len(some))
        for some in batched(changed, BATCH):
            sites = Site.objects.in_bulk([row.pk for row in some])
            for row in some:
                for name in OWN:
                    if name in row.after:
                        setattr(sites[row.pk], name, row.after[name])
            Site.objects.bulk_update(sites.values(), OWN)
            dynamic.follow_sites(sites)
            self.write_labels(some)
            work.advance(len(some))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        """Delete sites without terminals, hours and contacts."""
        stored = self.stored([row.key for row in rows], work.reach)
        empty = Site.objects.filter(opening_hours=None, special_days=None, contacts=None)
        codes = set(empty.order_by().values_list("code", flat=True))
        return delete_unused(Site, [row for row in rows if row.key[0] in codes], stored)

    def keys(self, reach: Reach) -> list[Key]:
        return [(code,) for code in sorted(reach.sites)]
