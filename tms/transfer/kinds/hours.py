"""Opening hours of sites in files: the week, public holidays and special days."""

from collections.abc import Iterator, Sequence
from datetime import date, time

from django.utils.translation import gettext_lazy as _

from tms.fleet.models import OpeningHours, SpecialDay
from tms.fleet.models.opening_hours import HOLIDAY, MAX_DAYS
from tms.transfer.kinds.base import BATCH, refuse_repeated
from tms.transfer.kinds.cells import BadCell, FileColumn, day, site_code, text, time_of_day
from tms.transfer.kinds.site_entries import Entry, SiteEntries, numbered
from tms.transfer.rows import FileRow

ON_HOLIDAYS = "holiday"
WEEKDAYS = ("0", "1", "2", "3", "4", "5", "6", ON_HOLIDAYS)
"""0 is Monday."""


def weekday(cell: str) -> str:
    value = cell.strip().casefold()
    if value and value not in WEEKDAYS:
        raise BadCell("not-a-choice", choices=", ".join(WEEKDAYS))
    return value


class HoursRows(SiteEntries):
    """Each line is either an interval of a weekday, or a special day with its `first_on`."""

    name = "hours"
    label = _("Opening hours")
    max_entries = 1_000
    columns = (
        FileColumn("site", site_code, ("SJK", "SJK"), is_required=True),
        FileColumn("weekday", weekday, ("0", "")),
        FileColumn("opens_at", time_of_day, ("09:00", "")),
        FileColumn("closes_at", time_of_day, ("21:00", "")),
        FileColumn("first_on", day, ("", "2027-01-01")),
        FileColumn("last_on", day, ("", "2027-01-03")),
        FileColumn("note", text(100), ("", "New Year")),
    )

    def gather(self, rows: list[FileRow]) -> list[FileRow]:
        refuse_repeated(rows, "opens_at", _begin)
        return super().gather(rows)

    def check_entry(self, line: FileRow, entry: Entry) -> None:
        if not line.faults and not _is_valid(entry):
            line.refuse("weekday", entry[0] or entry[3], "bad-hours")

    def ordered(self, entries: list[Entry]) -> list[Entry]:
        return sorted(entries, key=lambda entry: (entry[3], entry[0], entry[1:]))

    def entries(self, sites: Sequence[int]) -> Iterator[tuple[int, Entry]]:
        for span in OpeningHours.objects.filter(site__in=sites).order_by():
            weekday = ON_HOLIDAYS if span.weekday == HOLIDAY else str(span.weekday)
            yield span.site_id, [weekday, _text(span.opens_at), _text(span.closes_at), "", "", ""]
        for special in SpecialDay.objects.filter(site__in=sites).order_by():
            days = [special.first_on.isoformat(), special.last_on.isoformat() if special.last_on else ""]
            times = [_text(special.opens_at), _text(special.closes_at)]
            yield special.site_id, ["", *times, *days, special.note]

    def replace(self, entries: dict[int, list[Entry]]) -> None:
        OpeningHours.objects.filter(site__in=entries).delete()
        SpecialDay.objects.filter(site__in=entries).delete()
        rows = [(site, entry) for site, _position, entry in numbered(entries)]
        OpeningHours.objects.bulk_create((_span(*row) for row in rows if row[1][0]), batch_size=BATCH)
        SpecialDay.objects.bulk_create((_special(*row) for row in rows if not row[1][0]), batch_size=BATCH)


def _begin(row: FileRow) -> tuple[str, ...] | None:
    weekday = row.given.get("weekday")
    return (row.key[0], weekday, row.given.get("opens_at", "")) if weekday else None


def _is_valid(entry: Entry) -> bool:
    weekday, opens_at, closes_at, first_on, last_on, _note = entry
    if weekday:
        return bool(opens_at and closes_at) and not first_on and not last_on
    if not first_on or bool(opens_at) != bool(closes_at):
        return False
    days = (date.fromisoformat(last_on or first_on) - date.fromisoformat(first_on)).days
    return 0 <= days < MAX_DAYS


def _span(site: int, entry: Entry) -> OpeningHours:
    number = HOLIDAY if entry[0] == ON_HOLIDAYS else int(entry[0])
    opens_at, closes_at = (time.fromisoformat(value) for value in entry[1:3])
    return OpeningHours(site_id=site, weekday=number, opens_at=opens_at, closes_at=closes_at)


def _special(site: int, entry: Entry) -> SpecialDay:
    _weekday, opens_at, closes_at, first_on, last_on, note = entry
    return SpecialDay(
        site_id=site,
        first_on=date.fromisoformat(first_on),
        last_on=date.fromisoformat(last_on) if last_on else None,
        opens_at=time.fromisoformat(opens_at) if opens_at else None,
        closes_at=time.fromisoformat(closes_at) if closes_at else None,
        note=note,
    )


def _text(value: time | None) -> str:
    return value.isoformat(timespec="minutes") if value else ""
