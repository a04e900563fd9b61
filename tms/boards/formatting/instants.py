"""Instants as text: HTML that the browser converts to its language and time zone, and parsing from URLs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from tms.lib.calendar.durations import SPELT

TIME = re.compile(
    r'(?P<tag><time datetime="(?P<at>[^"]+)" '
    r'data-(?:format="(?P<form>ago|time|datetime|clock|day)"|countdown(?: data-lasts="[0-9]+")?)>)[^<]*</time>'
)

_shown_at: ContextVar[datetime | None] = ContextVar("shown_at", default=None)


@contextmanager
def shown_at(at: datetime) -> Iterator[None]:
    """Write ages, and times left, as they were at this past instant."""
    token = _shown_at.set(at)
    try:
        yield
    finally:
        _shown_at.reset(token)


def is_past() -> bool:
    """Whether a past instant is shown."""
    return _shown_at.get() is not None


def parse(text: str) -> datetime | None:
    """An aware instant in ISO 8601; None for anything else."""
    try:
        instant = parse_datetime(text)
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo else None


def time_element(at: datetime, form: str = "ago") -> SafeString:
    """An instant, as `ago`, `time`, `datetime`, `clock` (hours and minutes) or `day` (without the year)."""
    return format_html('<time datetime="{}" data-format="{}">{}</time>', _to_the_second(at), form, _words(at, form))


def countdown(at: datetime, since: datetime | None = None) -> SafeString:
    """The time left until `at`. With `since`, the last third of the time between them is marked as soon due."""
    length = format_html(' data-lasts="{}"', int((at - since).total_seconds())) if since else ""
    return format_html('<time datetime="{}" data-countdown{}>{}</time>', _to_the_second(at), length, _time_left(at))


def updated(html: str) -> str:
    """Cached HTML with the text of its instants updated."""
    return TIME.sub(_update, html) if "<time" in html else html


def without_text(html: str) -> str:
    """HTML without the text of its instants, which the browser writes: the same whenever it was rendered."""
    return TIME.sub(r"\g<tag></time>", html) if "<time" in html else html


def _update(found: re.Match[str]) -> str:
    at = datetime.fromisoformat(found["at"])
    return f"{found['tag']}{_words(at, found['form'])}</time>"


def _words(at: datetime, form: str | None) -> str:
    """The words for an instant in this form; without `form`, the time left."""
    if form is None:
        return _time_left(at)
    if form == "clock":
        return f"{timezone.localtime(at):%H:%M}"
    if form == "day":
        # Translators: a day without the year, in Django's date format
        return date_format(timezone.localtime(at), pgettext("date format", "j M"))
    return _age(at) if form == "ago" else _moment(at, with_date=form == "datetime")


def _to_the_second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _now() -> datetime:
    return _shown_at.get() or timezone.now()


def _time_left(at: datetime) -> str:
    left = max(0, int((at - _now()).total_seconds()))
    hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def _age(at: datetime) -> str:
    seconds = max(0, int((_now() - at).total_seconds()))
    length, form = next((unit for unit in SPELT if seconds >= unit[0]), SPELT[-1])
    return gettext(form) % {"number": seconds // length}


def _is_planned(at: datetime) -> bool:
    """Seconds are omitted for times of opening hours and maintenance, which are whole minutes in the future."""
    return not at.second and at > _now()


def _moment(at: datetime, *, with_date: bool) -> str:
    local = timezone.localtime(at)
    if not with_date and local.date() == timezone.localdate(_now()):
        return local.strftime("%H:%M" if _is_planned(at) else "%H:%M:%S")
    if local.year != timezone.localdate(_now()).year:
        # Translators: day and time with the year, in Django's date format
        return date_format(local, pgettext("date format", "j M Y H:i"))
    # Translators: day and time without the year, in Django's date format
    return date_format(local, pgettext("date format", "j M H:i"))
