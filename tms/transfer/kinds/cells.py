"""Texts of cells as values of columns. Each function reads a cell and returns the value in its normal form."""

import csv
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from io import StringIO
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import TextChoices

from tms.fleet.labels.attributes import MAX_TEXT, BadValue, read_value
from tms.fleet.labels.tags import MAX_TAGS, normalized
from tms.fleet.models import Attribute, AttributeType
from tms.fleet.models.attribute import as_text
from tms.lib.calendar.public_holidays import check_calendar
from tms.protocol.credential import UID
from tms.protocol.text import clean

CODE = re.compile(r"[-a-zA-Z0-9_]{1,8}")
TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00(?:\.0+)?)?")
type ReadCell = Callable[[str], str]


class BadCell(ValueError):
    """`known`: the values among which the nearest is suggested."""

    def __init__(self, code: str, known: Collection[str] = (), **params: Any) -> None:
        super().__init__(code)
        self.code, self.known, self.params = code, known, params


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a file, with the name of the REST field."""

    name: str
    read: ReadCell
    examples: tuple[str, str] = ("", "")
    is_required: bool = False
    default: str = ""
    """What an empty cell of a new row means. If there is a default, it leaves a stored row as it is."""

    def corrected(self, cell: str, value: str, instead: str) -> str:
        """The cell with another value instead of a refused one, which may be one name of a list."""
        try:
            found = split(clean(cell)) if self.read is names else []
        except BadCell:
            return instead
        return joined(instead if name == value else name for name in found) if value in found else instead


def text(most: int) -> ReadCell:
    def read(cell: str) -> str:
        return _limited(clean(cell).strip(), most)

    return read


def lines(most: int) -> ReadCell:
    def read(cell: str) -> str:
        return _limited(clean(cell, keeps_lines=True).strip(), most)

    return read


def _limited(value: str, most: int) -> str:
    if len(value) > most:
        raise BadCell("too-long", most=most)
    return value


def choice(choices: type[TextChoices]) -> ReadCell:
    """One of them, by its value or by its label."""

    def read(cell: str) -> str:
        wanted = cell.strip().casefold()
        for value, label in choices.choices:
            if wanted in (value, str(label).casefold()):
                return str(value)
        raise BadCell("not-a-choice", choices.values, choices=", ".join(choices.values))

    return read


def matching(pattern: re.Pattern[str], code: str) -> ReadCell:
    def read(cell: str) -> str:
        value = cell.strip()
        if value and not pattern.fullmatch(value):
            raise BadCell(code)
        return value

    return read


uid = matching(UID, "bad-uid")
site_code = matching(CODE, "bad-code")


def time_of_day(cell: str) -> str:
    found = TIME.fullmatch(cell.strip())
    if not cell.strip():
        return ""
    hour, minute = (int(found[1]), int(found[2])) if found else (99, 0)
    if (hour, minute) == (24, 0):
        hour = 0
    try:
        return time(hour, minute).isoformat(timespec="minutes")
    except ValueError:
        raise BadCell("bad-time") from None


def day(cell: str) -> str:
    value = cell.strip().replace("/", "-")
    if not value:
        return ""
    try:
        year, month, number = (int(part) for part in value.split("-"))
        return date(year, month, number).isoformat()
    except ValueError:
        raise BadCell("bad-date") from None


def email(cell: str) -> str:
    value = _limited(cell.strip(), 254)
    try:
        if value:
            validate_email(value)
    except ValidationError:
        raise BadCell("bad-email") from None
    return value


def time_zone(cell: str) -> str:
    value = cell.strip()
    if value not in _zones():
        raise BadCell("bad-zone", _zones())
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def holiday_calendar(cell: str) -> str:
    value = cell.strip()
    try:
        if value:
            _check_calendar(value)
    except ValidationError:
        raise BadCell("bad-calendar") from None
    return value


@cache
def _check_calendar(name: str) -> None:
    check_calendar(name)


def names(cell: str) -> str:
    """Names separated by semicolons, sorted. A name that has one itself is in quotes."""
    return joined(name for name in split(clean(cell)))


def tags(cell: str) -> str:
    """Tags with blanks or commas between them, sorted."""
    found = set[str]()
    for name in split_tags(clean(cell).replace(",", " ").replace("、", " ")):
        try:
            found.update(normalized([name]))
        except ValidationError:
            raise BadCell("bad-tag", tag=name[:40]) from None
    if len(found) > MAX_TAGS:
        raise BadCell("too-many-tags", most=MAX_TAGS)
    return " ".join(sorted(found))


def split_tags(cell: str) -> list[str]:
    return cell.split()


def attribute_value(attribute: Attribute) -> ReadCell:
    """Its value as text. Whether a choice is one is checked where the row changes: it may have another one since."""
    if attribute.type in (AttributeType.TEXT, AttributeType.CHOICE):
        return text(MAX_TEXT)

    def read(cell: str) -> str:
        try:
            return as_text(read_value(attribute, cell.strip())) if cell.strip() else ""
        except BadValue:
            raise BadCell("not-a-number" if attribute.type == AttributeType.NUMBER else "bad-date") from None

    return read


def split(cell: str) -> list[str]:
    if not cell:
        return []
    try:
        found = next(csv.reader(StringIO(cell, newline=""), delimiter=";", strict=True, skipinitialspace=True), [])
    except csv.Error:
        raise BadCell("bad-list") from None
    return [name for each in found if (name := each.strip())]


def joined(values: Iterable[str]) -> str:
    page = StringIO()
    csv.writer(page, delimiter=";", lineterminator="").writerow(sorted(set(values)))
    return page.getvalue()
