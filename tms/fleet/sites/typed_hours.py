"""Opening hours as people type them: `10-20`, `9:30-14, 17-23`, `24h`, `closed`. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import time
from itertools import pairwise

from django.utils.translation import gettext

from tms.lib.calendar.opening_hours import ALL_DAY, OpenInterval, Spans

SPAN = re.compile(r"(\d{1,2})(?::?(\d{2}))?\s*[-–—~〜]\s*(\d{1,2})(?::?(\d{2}))?")
BETWEEN = re.compile(r"[\s,;、]+")
WHOLE_DAY = frozenset({"24h", "24 h", "24時間", "終日"})
NOT_OPEN = frozenset({"closed", "休業", "定休日", "休み"})
SAME = frozenset({"=", "〃", "同上"})
"""The hours of the day before."""
MAX_CHARACTERS = 100


class UnreadableHours(ValueError):
    """The message says what is wrong, in the active language."""


def parse_hours(text: str) -> Spans:
    """The open intervals of a day; none if it is closed. Raises UnreadableHours."""
    text = normal(text)
    if text in NOT_OPEN:
        return ()
    if text in WHOLE_DAY:
        return ALL_DAY
    found = list(SPAN.finditer(text))
    if not found or BETWEEN.sub("", SPAN.sub("", text)):
        raise UnreadableHours(gettext("Enter times such as 10-20 or 9:30-14, 17-23; 24h; or closed."))
    return _in_order([_interval(*one.groups()) for one in found])


def format_hours(spans: Iterable[OpenInterval]) -> str:
    """The text of which `parse_hours` makes the same intervals."""
    found = tuple(spans)
    if not found:
        return "closed"
    return "24h" if found == ALL_DAY else ", ".join(f"{one.opens_at:%H:%M}-{one.closes_at:%H:%M}" for one in found)


def hours_in_words(spans: Iterable[OpenInterval]) -> str:
    """The hours of a day as pages show them, in the active language."""
    found = tuple(spans)
    if not found:
        return gettext("closed all day")
    if found == ALL_DAY:
        return gettext("24 hours")
    return gettext(", ").join(f"{one.opens_at:%H:%M} – {one.closes_at:%H:%M}" for one in found)


def normal(text: str) -> str:
    """The text in half-width characters and lower case."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def _interval(opens_h: str, opens_m: str | None, closes_h: str, closes_m: str | None) -> OpenInterval:
    return OpenInterval(_time(opens_h, opens_m), _time(closes_h, closes_m))


def _time(hours: str, minutes: str | None) -> time:
    """24:00 is midnight."""
    hour, minute = int(hours), int(minutes or 0)
    if (hour, minute) == (24, 0):
        return time.min
    try:
        return time(hour, minute)
    except ValueError as error:
        text = gettext("%(time)s is not a time of day. Use 00:00 to 24:00.")
        raise UnreadableHours(text % {"time": f"{hours}:{minutes or '00'}"}) from error


def _in_order(intervals: list[OpenInterval]) -> Spans:
    """Only the last interval of a day may end on the next day."""
    ordered = sorted(intervals)
    for one, following in pairwise(ordered):
        if one.closes_at <= one.opens_at or following.opens_at < one.closes_at:
            raise UnreadableHours(
                gettext("%(one)s and %(other)s overlap.")
                % {"one": format_hours([one]), "other": format_hours([following])}
            )
    return tuple(ordered)
