"""The list of devices with their last inspections as PDF, in the active language."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from tms.inspections.devices import HEAD, InspectedDevices
from tms.inspections.listing import RoundFigures
from tms.inspections.models import InspectionResult, Round
from tms.lib.csv_text import Cell
from tms.lib.pdf import typeset
from tms.protocol.text import clean

TEMPLATE = Path(__file__).with_name("devices.typ")
MAX_ROWS = 2_500
"""They fill a hundred pages or so; the CSV has all."""


def pdf(chosen: Round | None, figures: RoundFigures | None, rows: InspectedDevices, *, at: datetime) -> bytes:
    return typeset(TEMPLATE, content(chosen, figures, rows, at=at))


def content(
    chosen: Round | None, figures: RoundFigures | None, rows: InspectedDevices, *, at: datetime
) -> dict[str, object]:
    lines: list[Sequence[Cell]] = []
    while len(lines) < MAX_ROWS and (more := rows()):
        lines.extend(more)
    left = len(rows) - MAX_ROWS
    return {
        "language": get_language() or "en",
        "customer": clean(settings.CUSTOMER),
        "title": gettext("Inspected devices"),
        "subtitle": _subtitle(chosen, len(rows)),
        "made": f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}",
        "figures": _figures(figures),
        "heads": [
            gettext("Serial"),
            gettext("Make and model"),
            gettext("Location"),
            gettext("UID"),
            gettext("Last inspected"),
            gettext("Person"),
            gettext("Result"),
        ],
        "rows": [_row(dict(zip(HEAD, line, strict=True))) for line in lines[:MAX_ROWS]],
        "more": ngettext("%(number)s more is in the CSV.", "%(number)s more are in the CSV.", left) % {"number": left}
        if left > 0
        else "",
        "foot": gettext("PCI DSS 9.5.1: devices in service, their locations, and when each was inspected last."),
    }


def _subtitle(chosen: Round | None, number: int) -> str:
    devices = ngettext("%(number)s device", "%(number)s devices", number) % {"number": f"{number:,}"}
    if chosen is None:
        return devices
    due = gettext("due %(date)s") % {"date": date_format(chosen.due_on)}
    return " · ".join((clean(chosen.name), due, devices))


def _figures(found: RoundFigures | None) -> list[tuple[str, str]]:
    if found is None:
        return []
    of = gettext("%(inspected)s of %(total)s")
    return [
        (gettext("Inspected"), of % {"inspected": f"{found.inspected:,}", "total": f"{found.total:,}"}),
        (gettext("Overdue"), f"{found.overdue:,}"),
        (gettext("Looks tampered"), f"{found.tampered:,}"),
        (gettext("Serial differs"), f"{found.differs:,}"),
    ]


def _row(cells: dict[str, Cell]) -> list[str]:
    result = str(cells["result"] or "")
    place = " · ".join(filter(None, (str(cells["site_name"]), str(cells["location"]))))
    made = " ".join(filter(None, (str(cells["manufacturer"]), str(cells["model"]))))
    at = str(cells["last_inspected_at"])[:16].replace("T", " ")
    label = str(InspectionResult(result).label) if result else gettext("never inspected")
    return [clean(text) for text in (str(cells["serial"]), made, place, str(cells["uid"]), at, str(cells["by"]), label)]
