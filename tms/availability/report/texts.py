"""A report in words, in the active language: months, lengths of time, the result and what explains it."""

from collections.abc import Iterable
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from tms.availability.report.figures import AvailabilityTotals, shown_percent
from tms.availability.report.report import AvailabilityReport, AvailabilityRow

MAX_NAMED_SITES = 2
"""Sites that the summary names."""
MINUTE, HOUR = 60, 3_600
LONG_S = 100 * HOUR
"""A length of time, in seconds, from which on minutes say nothing."""


def month_text(first: date) -> str:
    """`October 2026`"""
    # Translators: a month with its year, in Django's date format
    return date_format(first, pgettext("date format", "F Y"))


def short_month(first: date) -> str:
    """`Oct`"""
    # Translators: a month under a column of a chart, in Django's date format
    return date_format(first, pgettext("date format", "M"))


def day_text(day: date) -> str:
    """`31 October`"""
    # Translators: a day without the year, in Django's date format
    return date_format(day, pgettext("date format", "j F"))


def lost_text(seconds: float) -> str:
    """`41 h 12 min`, from 100 hours on `512 h`."""
    hours, minutes = int(seconds) // HOUR, int(seconds) // MINUTE % MINUTE
    if seconds >= LONG_S:
        return gettext("%(hours)s h") % {"hours": f"{round(seconds / HOUR):,}"}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def headline(found: AvailabilityReport) -> dict[str, str]:
    """The percentage, and the rest of the sentence."""
    percent = found.total.percent
    if percent is None:
        return {"percent": "", "text": gettext("No availability yet"), "state": ""}
    values = {"month": month_text(found.month.first), "target": shown_percent(found.target)}
    if found.is_running:
        text = gettext("of opening hours in %(month)s so far, target %(target)s%%") % values
    elif found.is_below:
        text = gettext("of opening hours in %(month)s, below the %(target)s%% target") % values
    else:
        text = gettext("of opening hours in %(month)s, target %(target)s%% met") % values
    state = "miss" if found.is_below and not found.is_running else ""
    return {"percent": f"{shown_percent(percent)}%", "text": text, "state": state}


def summary(found: AvailabilityReport) -> list[str]:
    total = found.total
    values = {"lost": hours_text(total.lost_s), "counted": hours_text(total.counted_s)}
    sentences = [gettext("%(lost)s lost of %(counted)s.") % values] if total.counted_s else []
    above = sum(row.above_s for row in found.sites)
    worst = [row for row in found.sites if row.above_s][:MAX_NAMED_SITES]
    if above and len(found.breaches) > len(worst):
        share = round(100 * sum(row.above_s for row in worst) / above)
        names = [str(row.name) for row in worst]
        sentences.append(
            gettext("%(one)s and %(other)s account for %(share)s%% of the lost time over target.")
            % {"one": names[0], "other": names[1], "share": share}
        )
    if total.excluded_s:
        sentences.append(gettext("Maintenance of %(hours)s is excluded.") % {"hours": hours_text(total.excluded_s)})
    return sentences


def hours_text(seconds: float) -> str:
    hours = seconds / 3_600
    if hours < 1:
        return gettext("%(minutes)s min") % {"minutes": round(seconds / 60)}
    return gettext("%(hours)s h") % {"hours": f"{hours:.1f}".removesuffix(".0") if hours < 10 else f"{round(hours):,}"}


def percent_text(totals: AvailabilityTotals) -> str:
    return "–" if totals.percent is None else f"{shown_percent(totals.percent)}%"


def share(seconds: int, total: AvailabilityTotals) -> str:
    return f"{round(100 * seconds / total.lost_s)}%"


def reason_text(row: AvailabilityRow) -> str:
    """The loss that took the most time, after its party; empty if nothing was lost."""
    loss = row.main_loss
    return titled(loss.party.label, str(loss.label)) if loss else ""


def titled(what: object, text: str) -> str:
    return gettext("%(what)s: %(title)s") % {"what": what, "title": text}


def join_texts(parts: Iterable[str]) -> str:
    return gettext(", ").join(parts)
