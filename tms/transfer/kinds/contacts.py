"""Contacts of sites in files."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _

from tms.fleet.models import SiteContact
from tms.transfer.kinds.base import BATCH
from tms.transfer.kinds.cells import FileColumn, email, site_code, text
from tms.transfer.kinds.site_entries import Entry, SiteEntries, numbered
from tms.transfer.rows import FileRow

OWN = ("name", "phone", "email", "note")


class ContactRows(SiteEntries):
    name = "contacts"
    label = _("Contacts")
    columns = (
        FileColumn("site", site_code, ("SJK", "SJK"), is_required=True),
        FileColumn("name", text(100), ("Station office", "Carrier support")),
        FileColumn("phone", text(32), ("03-0000-0000", "0120-000-000")),
        FileColumn("email", email, ("office@example.com", "")),
        FileColumn("note", text(200), ("", "Contract 4711")),
    )

    def check_entry(self, line: FileRow, entry: Entry) -> None:
        if not entry[0] and not line.faults:
            line.refuse("name", "", "required")

    def entries(self, sites: Sequence[int]) -> Iterator[tuple[int, Entry]]:
        rows = SiteContact.objects.filter(site__in=sites).order_by("site", "position", "pk")
        for site, *values in rows.values_list("site", *OWN):
            yield site, values

    def replace(self, entries: dict[int, list[Entry]]) -> None:
        SiteContact.objects.filter(site__in=entries).delete()
        SiteContact.objects.bulk_create(
            (
                SiteContact(site_id=site, position=position, **dict(zip(OWN, entry, strict=True)))
                for site, position, entry in numbered(entries)
            ),
            batch_size=BATCH,
        )
