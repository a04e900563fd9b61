"""The availability of a month as PDF, in the active language."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, pgettext

from tms.availability.report.day_states import day_states
from tms.availability.report.figures import shown_percent
from tms.availability.report.report import AvailabilityReport, AvailabilityRow, ReportReader, bars
from tms.availability.report.texts import (
    headline,
    hours_text,
    lost_text,
    month_text,
    percent_text,
    reason_text,
    share,
)
from tms.lib.calendar.durations import spell
from tms.lib.pdf import CONTENT_TYPE, typeset
from tms.protocol.text import clean

__all__ = ["CONTENT_TYPE", "content", "pdf"]

TEMPLATE = Path(__file__).with_name("report.typ")
MAX_ROWS, MAX_BREACHES = 200, 50


def pdf(shown: AvailabilityReport, reader: ReportReader, *, customer: str = "", at: datetime) -> bytes:
    """`customer`: by default `TMS_CUSTOMER`. At most `MAX_ROWS` rows; the CSV has all."""
    return typeset(TEMPLATE, content(shown, reader, customer=customer or settings.CUSTOMER, at=at))


def content(shown: AvailabilityReport, reader: ReportReader, *, customer: str, at: datetime) -> dict[str, object]:
    counted = [row for row in shown.rows if row.totals.counted_s]
    rows, more = counted[:MAX_ROWS], len(counted) - MAX_ROWS
    days = bars(shown, rows, reader)
    result = headline(shown)
    return {
        "language": get_language() or "en",
        "customer": clean(customer),
        "title": gettext("Availability, %(month)s") % {"month": month_text(shown.month.first)},
        "subtitle": _subtitle(shown),
        "made": f"{timezone.localtime(at):%Y-%m-%d %H:%M %Z}",
        "percent": result["percent"] or "–",
        "sentence": result["text"],
        "figures": _figures(shown),
        "parties": _parties(shown),
        "breaches": [_breach(row) for row in shown.breaches[:MAX_BREACHES]],
        "rows": [
            {
                "name": clean(str(row.name)),
                "percent": percent_text(row.totals),
                "lost": lost_text(row.totals.lost_s),
                "states": day_states(days.get(row.key, {}), shown.last_day, row.target),
            }
            for row in rows
        ],
        "more": ngettext("%(number)s more is in the CSV.", "%(number)s more are in the CSV.", more) % {"number": more}
        if more > 0
        else "",
        **_words(shown),
    }


def _subtitle(shown: AvailabilityReport) -> str:
    area = shown.area.region or next((str(row.name) for row in shown.sites if row.code == shown.area.site), "")
    number = len(shown.counted_sites)
    sites = ngettext("%(number)s site", "%(number)s sites", number) % {"number": number}
    return " · ".join(part for part in (clean(area), sites) if part)


def _figures(shown: AvailabilityReport) -> list[tuple[str, str, str]]:
    number = len(shown.counted_sites)
    of = ngettext("of %(number)s", "of %(number)s", number) % {"number": number}
    total = shown.total
    found = [
        (gettext("Sites on target"), f"{shown.sites_on_target:,}", of),
        (
            gettext("Lost time"),
            hours_text(total.lost_s),
            gettext("of %(hours)s") % {"hours": hours_text(total.counted_s)},
        ),
    ]
    times = shown.times[-1].times
    for label, name in ((gettext("MTTA"), "time_to_acknowledge"), (gettext("MTTR"), "time_to_resolve")):
        spread = getattr(times, name, None)
        p90 = f"p90 {spell(spread.p90_s)}" if spread and spread.number else ""
        found.append((label, spell(spread.mean_s) if spread and spread.mean_s is not None else "–", p90))
    return found


def _parties(shown: AvailabilityReport) -> list[dict[str, object]]:
    total = shown.total
    return [
        {
            "key": party.value,
            "label": str(party.label),
            "causes": ", ".join(
                f"{loss.label} ({hours_text(number)})"
                for loss, number in sorted(total.lost.items(), key=lambda pair: -pair[1])
                if loss.party is party
            ),
            "lost": hours_text(seconds),
            "share": share(seconds, total),
            "seconds": seconds,
        }
        for party, seconds in total.by_party().items()
    ]


def _breach(row: AvailabilityRow) -> tuple[str, str, str, str, str]:
    target = f"{shown_percent(row.target)}%"
    return clean(str(row.name)), percent_text(row.totals), target, lost_text(row.totals.lost_s), reason_text(row)


def _words(shown: AvailabilityReport) -> dict[str, object]:
    """Headings and labels."""
    month, lost, target = month_text(shown.month.first), pgettext("time", "Lost"), gettext("Target")
    return {
        "headings": {
            "parties": gettext("Lost time by responsible party"),
            "nothing": gettext("Nothing was lost."),
            "breaches": gettext("Breaches"),
            "no_breach": gettext("All sites are on target."),
            "days": gettext("90 days, worst first"),
        },
        "heads": {
            "parties": [gettext("Party"), gettext("Causes"), lost, gettext("Share")],
            "breaches": [gettext("Site"), month, target, lost, gettext("Main cause")],
            "days": [gettext("Name"), gettext("90 days"), month, lost],
        },
        "legend": [
            ("met", gettext("On target")),
            ("warning", gettext("Below target")),
            ("critical", gettext("More than 1 point below")),
            ("closed", gettext("Closed all day")),
        ],
        "foot": gettext(
            "Opening hours only; maintenance of %(hours)s is excluded. A terminal is available while it has a link. "
            "The figures can be computed again from the exported evidence, to the second."
        )
        % {"hours": hours_text(shown.total.excluded_s)},
    }
