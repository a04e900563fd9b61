"""The list of devices of PCI DSS 9.5.1.1: make and model, serial number, location, and the last inspection."""

from collections.abc import Iterator, Sequence

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from tms.accounts.access import Person, visible
from tms.fleet.models import Lifecycle, Placement
from tms.inspections.listing import ListQuery, members_of
from tms.inspections.models import Inspection, Round
from tms.lib.csv_text import Cell
from tms.lib.db.natural_order import natural

MAX_ROWS = 50_000
BATCH = 1_000
HEAD = (
    *("serial", "manufacturer", "model", "site", "site_name", "location", "uid"),
    *("last_inspected_at", "by", "result", "broken_seals"),
)


class InspectedDevices:
    """The rows of a CSV, read one batch at a call. Devices are those that serve now; `chosen`: of a round only."""

    def __init__(self, person: Person, chosen: Round | None, query: ListQuery) -> None:
        rows = visible(Placement.objects.open(), to=person).filter(terminal__lifecycle=Lifecycle.IN_SERVICE)
        if chosen is not None:
            rows = rows.filter(terminal__in=members_of(chosen, person).values("terminal"))
        if query.site:
            rows = rows.filter(terminal__site__code=query.site)
        self._pks = list(rows.order_by("terminal__site__code", natural("terminal__uid")).values_list("pk", flat=True))
        del self._pks[MAX_ROWS:]
        self._begin = 0

    def __len__(self) -> int:
        return len(self._pks)

    def __call__(self) -> Sequence[Sequence[Cell]]:
        pks = self._pks[self._begin : self._begin + BATCH]
        self._begin += BATCH
        return list(_lines(pks))


def _lines(pks: Sequence[int]) -> Iterator[Sequence[Cell]]:
    placed = _placed().in_bulk(pks)
    found = Inspection.objects.select_related("by").in_bulk({one.last for one in placed.values() if one.last})  # type: ignore[attr-defined]  # annotated
    for pk in pks:
        if pk in placed:  # it may have been removed meanwhile
            yield line_of(placed[pk], found.get(placed[pk].last))  # type: ignore[attr-defined]


def _placed() -> QuerySet[Placement]:
    last = Inspection.objects.valid().filter(device=OuterRef("device")).order_by("-at", "-pk")
    rows = Placement.objects.select_related("device", "terminal__site")
    return rows.annotate(last=Subquery(last.values("pk")[:1]))


def line_of(placed: Placement, last: Inspection | None) -> Sequence[Cell]:
    device, terminal = placed.device, placed.terminal
    inspected: Sequence[Cell] = ("", "", "", "")
    if last is not None:
        who = last.by.display_name if last.by else ""
        at = timezone.localtime(last.at).isoformat(timespec="minutes")
        inspected = (at, who, last.result, last.broken_seals)
    return (
        device.serial,
        device.manufacturer,
        device.model or terminal.model,
        terminal.site.code,
        str(terminal.site),
        terminal.label,
        terminal.uid,
        *inspected,
    )
