"""Details of one site, for its page."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.boards.rows.incidents import IncidentRow
from tms.boards.rows.planned import expected_of
from tms.boards.rows.sites import PresenceMix
from tms.boards.rows.terminals import unresolved_of
from tms.fleet.models import Lifecycle, OnHolidays, Outage, Presence, Region, Site, SpecialDay, Terminal, TerminalKind
from tms.fleet.models.opening_hours import HOLIDAY
from tms.fleet.sites.hours_cache import SiteStatus
from tms.fleet.sites.names import Bilingual
from tms.fleet.sites.typed_hours import hours_in_words
from tms.lib.calendar.opening_hours import OpenInterval
from tms.lib.db.natural_order import natural
from tms.lib.severity import Severity, worst

MAX_SQUARES = 2_000
MAX_SPECIAL_DAYS = 6
MAX_OUTAGES = 6
OUTAGE_TIME = timedelta(days=30)
LAST_NUMBER = re.compile(r"(\d{1,4})$")
BY_WORST = ("critical", "offline", "warning", "silent", "expected", "ok")
"""What a square may show, the most urgent first."""


class SiteHead(NamedTuple):
    code: str
    name: Bilingual
    region: Bilingual
    region_key: str
    address: str
    time_zone: str
    closed_at: datetime | None
    mix: PresenceMix
    expected: str
    status: SiteStatus | None
    severity: str
    incident: IncidentRow | None
    tags: tuple[str, ...]


class Square(NamedTuple):
    """A terminal in the comb of its kind."""

    pk: int
    uid: str
    text: str
    worst: str


class KindBlock(NamedTuple):
    """The terminals of one kind."""

    kind: str
    squares: tuple[Square, ...]

    @property
    def total(self) -> int:
        return len(self.squares)

    @property
    def offline(self) -> int:
        """How many need a person."""
        return sum(square.worst in ("critical", "offline") for square in self.squares)


class HoursLine(NamedTuple):
    day: str
    hours: str
    is_today: bool


class SpecialLine(NamedTuple):
    first_on: date
    last_on: date | None
    hours: str
    note: str


class SiteHours(NamedTuple):
    """The hours of a site in words, in the active language."""

    is_always_open: bool
    week: tuple[HoursLine, ...]
    holidays: str
    calendar: str
    special_days: tuple[SpecialLine, ...]
    more: int
    """Special days that are not listed."""


class OutageLine(NamedTuple):
    pk: int
    uid: str
    cause: str
    began_at: datetime
    seconds: float | None
    """None while it lasts."""


def region_name(name: str) -> Bilingual:
    found = Region.objects.filter(name=name).values_list("name_ja", flat=True).first()
    return Bilingual(name, found or "")


def kind_blocks(site: Site, scope: Scope, *, at: datetime) -> tuple[KindBlock, ...]:
    """Its terminals in service by kind, in the natural order of their UIDs."""
    rows = within(Terminal.objects.counted().filter(site=site, state__isnull=False), scope)
    found = rows.order_by(natural("uid")).values_list("pk", "uid", "kind", "state__presence")[:MAX_SQUARES]
    terminals = list(found)
    pks = [pk for pk, *_ in terminals]
    severities = {pk: worst(s for group in by.values() for s in group) for pk, by in unresolved_of(pks).items()}
    expected = expected_of(dict.fromkeys(pks, site.pk), at=at) if pks else {}
    kinds: dict[str, list[Square]] = {kind: [] for kind in TerminalKind.values}
    for pk, uid, kind, presence in terminals:
        block = kinds.setdefault(kind, [])
        shown = _worst(presence, severities.get(pk, ""), is_expected=pk in expected)
        block.append(Square(pk, uid, _number(uid, len(block) + 1), shown))
    return tuple(KindBlock(kind, tuple(squares)) for kind, squares in kinds.items() if squares)


def _number(uid: str, position: int) -> str:
    """The number at the end of the UID; otherwise its position."""
    found = LAST_NUMBER.search(uid)
    return str(int(found[1])) if found else str(position)


def _worst(presence: str, severity: str, *, is_expected: bool) -> str:
    if severity == Severity.CRITICAL and not is_expected:
        return "critical"
    if is_expected:
        return "expected"
    if presence == Presence.OFFLINE:
        return "offline"
    if severity == Severity.WARNING:
        return "warning"
    if presence == Presence.SILENT:
        return "silent"
    return "ok" if presence == Presence.ONLINE else "expected"


def most_urgent(blocks: Iterable[KindBlock], most: int) -> list[int]:
    """The terminals that need a person first; primary keys."""
    squares = [square for block in blocks for square in block.squares]
    return [square.pk for square in sorted(squares, key=lambda one: BY_WORST.index(one.worst))[:most]]


def not_in_service(site: Site, scope: Scope) -> tuple[tuple[str, int], ...]:
    """How many of its terminals have each of the other lifecycle states."""
    rows = within(Terminal.objects.filter(site=site), scope).exclude(lifecycle=Lifecycle.IN_SERVICE)
    numbers = dict(rows.order_by().values_list("lifecycle").annotate(n=Count("pk")))
    return tuple((state.value, numbers[state.value]) for state in Lifecycle if state.value in numbers)


def hours_of_site(site: Site, *, at: datetime) -> SiteHours:
    today = at.astimezone(ZoneInfo(site.time_zone)).date()
    week: defaultdict[int, list[OpenInterval]] = defaultdict(list)
    for weekday, *times in site.opening_hours.order_by("opens_at").values_list("weekday", "opens_at", "closes_at"):
        week[weekday].append(OpenInterval(*times))
    at_holidays = week.pop(HOLIDAY, [])
    special_days = special_lines([day for day in site.special_days.all() if (day.last_on or day.first_on) >= today])
    return SiteHours(
        is_always_open=not week,
        week=tuple(
            HoursLine(str(name), hours_in_words(week.get(day, ())), day == today.weekday())
            for day, name in WEEKDAYS.items()
        )
        if week
        else (),
        holidays=_on_holidays(site.on_holidays, at_holidays),
        calendar=site.holiday_calendar,
        special_days=tuple(special_days[:MAX_SPECIAL_DAYS]),
        more=max(0, len(special_days) - MAX_SPECIAL_DAYS),
    )


def _on_holidays(effect: str, hours: Sequence[OpenInterval]) -> str:
    if effect == OnHolidays.CLOSED:
        return hours_in_words(())
    return hours_in_words(hours) if effect == OnHolidays.OTHER else gettext("as usual")


def special_lines(days: Iterable[SpecialDay]) -> list[SpecialLine]:
    """A line for each period; its intervals together."""
    found: dict[tuple[date, date | None, str], list[OpenInterval]] = {}
    for day in days:
        spans = found.setdefault((day.first_on, day.last_on, day.note), [])
        if day.opens_at is not None and day.closes_at is not None:
            spans.append(OpenInterval(day.opens_at, day.closes_at))
    return [SpecialLine(first, last, hours_in_words(spans), note) for (first, last, note), spans in found.items()]


def outage_lines(site: Site, scope: Scope, *, at: datetime) -> tuple[OutageLine, ...]:
    """The newest outages of its terminals (index: outage_terminal)."""
    rows = within(Outage.objects.filter(terminal__site=site, began_at__gt=at - OUTAGE_TIME), scope)
    columns = ("pk", "terminal__uid", "cause", "began_at", "ended_at")
    return tuple(
        OutageLine(pk, uid, cause, began, (ended - began).total_seconds() if ended else None)
        for pk, uid, cause, began, ended in rows.order_by("-began_at", "-pk").values_list(*columns)[:MAX_OUTAGES]
    )
