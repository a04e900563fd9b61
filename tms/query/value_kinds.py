"""The kinds of values that fields of a query have: how each is read, and how a column is compared with it.

Each comparison is either true or false for every row, also where a column is NULL, so that `-` excludes exactly the
rows that the condition alone would select.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from math import isfinite
from typing import Any

from django.db.models import F, Q, TextField
from django.db.models import Value as Literal
from django.db.models.expressions import Combinable
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext

from tms.lib.db.pattern_lookup import ANY
from tms.lib.db.version_order import NO_VERSION, VersionKey, version_key
from tms.query.errors import QueryError
from tms.query.tree import Operator, Value

EQUALITY = (Operator.IS,)
ORDER = tuple(Operator)
LOOKUPS = {
    Operator.IS: Exact,
    Operator.BELOW: LessThan,
    Operator.AT_MOST: LessThanOrEqual,
    Operator.ABOVE: GreaterThan,
    Operator.AT_LEAST: GreaterThanOrEqual,
}
MAX_PATTERN_STARS = 8
MAX_SHOWN_CHOICES = 12
DIGIT = re.compile(r"[0-9]")
AGE = re.compile(r"([0-9]{1,5})(s|m|h|d|w)")
WRITTEN_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_YEAR, LAST_YEAR = 1970, 9998


class ValueKind(ABC):
    """Values of one kind. `read` makes them of text, `compare` makes a condition on a column of them."""

    operators: tuple[Operator, ...] = EQUALITY
    examples: tuple[str, ...] = ()

    @abstractmethod
    def read(self, value: Value) -> Any:
        """The value; raises QueryError with its position."""

    @abstractmethod
    def compare(self, column: str, operator: Operator, wanted: Any, at: datetime) -> Q:
        """The rows whose `column` (a path of lookups) compares with the value as the operator says."""

    def refuse(self, value: Value, problem: str, correction: str | None = None) -> QueryError:
        return QueryError(problem % {"value": value.text[:40]}, value.span, self.examples, correction)


class TextKind(ValueKind):
    """Text without regard to case. `*` stands for any characters; an empty text in quotes for *has none*."""

    def __init__(self, *, is_part: bool = False) -> None:
        """`is_part`: the column only has to contain a text without `*`."""
        self.is_part = is_part

    def read(self, value: Value) -> Value:
        if not value.is_quoted and value.text.count(ANY) > MAX_PATTERN_STARS:
            raise self.refuse(value, gettext("“%(value)s” has too many asterisks."))
        return value

    def compare(self, column: str, operator: Operator, wanted: Value, at: datetime) -> Q:
        if not wanted.text:
            return Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
        if not wanted.is_quoted and ANY in wanted.text:
            return Q(**{f"{column}__like": wanted.text})
        return Q(**{f"{column}__{'icontains' if self.is_part else 'iexact'}": wanted.text})


class ChoiceKind(ValueKind):
    """One of a few names. Each name stands for one or more values of the column."""

    def __init__(self, names: Mapping[str, tuple[str, ...]], labels: Mapping[str, str | Promise]) -> None:
        self.names, self.labels = names, labels
        self.examples = tuple(names)[:MAX_SHOWN_CHOICES]

    def read(self, value: Value) -> tuple[str, ...]:
        found = self.names.get(value.text.casefold())
        if found is None:
            nearest = get_close_matches(value.text.casefold()[:40], self.names, n=1)
            raise self.refuse(value, gettext("“%(value)s” is not one of its values."), *nearest)
        return found

    def compare(self, column: str, operator: Operator, wanted: tuple[str, ...], at: datetime) -> Q:
        return Q(**{f"{column}__in": wanted})


class VersionKind(ValueKind):
    """Versions, which compare number by number. With `*`, as text."""

    operators = ORDER
    examples = ("4.8.3", "4.8.*")

    def read(self, value: Value) -> Value:
        is_pattern = not value.is_quoted and ANY in value.text
        if value.text and not is_pattern and not DIGIT.search(value.text):
            raise self.refuse(value, gettext("“%(value)s” is not a version."))
        return value

    def compare(self, column: str, operator: Operator, wanted: Value, at: datetime) -> Q:
        if not wanted.text or (not wanted.is_quoted and ANY in wanted.text):
            return TEXT.compare(column, operator, wanted, at)
        key = version_key(wanted.text)
        found = _keys(column, operator, key)
        # Texts without a version, and versions of another form (`R2024`), are neither before nor after it.
        if operator in (Operator.BELOW, Operator.AT_MOST) and key > NO_VERSION:
            found &= _keys(column, Operator.ABOVE, NO_VERSION)
        if operator in (Operator.ABOVE, Operator.AT_LEAST) and key < NO_VERSION:
            found &= _keys(column, Operator.BELOW, NO_VERSION)
        return found


class NumberKind(ValueKind):
    operators = ORDER
    examples = ("60", "-4.5")

    def read(self, value: Value) -> float:
        if not WRITTEN_NUMBER.fullmatch(value.text) or not isfinite(number := float(value.text)):
            raise self.refuse(value, gettext("“%(value)s” is not a number."))
        return number

    def compare(self, column: str, operator: Operator, wanted: float, at: datetime) -> Q:
        return number_compares(F(column), operator, wanted)


class DayKind(ValueKind):
    """A day of the calendar."""

    operators = ORDER
    examples = ("2026-11-01",)

    def read(self, value: Value) -> date:
        if (day := _day(value.text)) is None:
            raise self.refuse(value, gettext("“%(value)s” is not a day."))
        return day

    def compare(self, column: str, operator: Operator, wanted: date, at: datetime) -> Q:
        return Q(_lookup(operator, F(column), Literal(wanted)))


class MomentKind(ValueKind):
    """An instant of the past, by its age (`10m`, where *more* is longer ago) or by its day (`2026-11-01`)."""

    operators = ORDER
    examples = ("10m", "2h", "30d", "2026-11-01", "never")
    UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    NEVER = "never"
    MAX_AGE = timedelta(days=36_500)

    def read(self, value: Value) -> timedelta | date | str:
        text = value.text.casefold()
        if text == self.NEVER:
            return text
        if found := AGE.fullmatch(text):
            return min(timedelta(**{self.UNITS[found[2]]: int(found[1])}), self.MAX_AGE)
        if (day := _day(text)) is None:
            raise self.refuse(value, gettext("“%(value)s” is neither an age nor a day."))
        return day

    def compare(self, column: str, operator: Operator, wanted: timedelta | date | str, at: datetime) -> Q:
        if isinstance(wanted, str):
            return Q(**{f"{column}__isnull": True})
        if isinstance(wanted, timedelta):
            return self._compare_age(column, operator, at - wanted)
        return self._compare_day(column, operator, wanted)

    def _compare_age(self, column: str, operator: Operator, instant: datetime) -> Q:
        """What never happened is longer ago than anything."""
        if operator in (Operator.ABOVE, Operator.AT_LEAST):
            return Q(**{f"{column}__lte": instant}) | Q(**{f"{column}__isnull": True})
        return Q(**{f"{column}__gte": instant})

    def _compare_day(self, column: str, operator: Operator, day: date) -> Q:
        begins = timezone.make_aware(datetime.combine(day, time.min))
        ends = begins + timedelta(days=1)
        return {
            Operator.IS: Q(**{f"{column}__gte": begins, f"{column}__lt": ends}),
            Operator.BELOW: Q(**{f"{column}__lt": begins}),
            Operator.AT_MOST: Q(**{f"{column}__lt": ends}),
            Operator.ABOVE: Q(**{f"{column}__gte": ends}),
            Operator.AT_LEAST: Q(**{f"{column}__gte": begins}),
        }[operator]


class OrNone(ValueKind):
    """Values of another kind, and an empty text in quotes for rows without a value: it reads None."""

    def __init__(self, kind: ValueKind) -> None:
        self.kind, self.operators, self.examples = kind, kind.operators, kind.examples

    def read(self, value: Value) -> Any:
        return self.kind.read(value) if value.text or not value.is_quoted else None

    def compare(self, column: str, operator: Operator, wanted: Any, at: datetime) -> Q:
        return self.kind.compare(column, operator, wanted, at)


TEXT = TextKind()
PART_OF_TEXT = TextKind(is_part=True)
VERSION = VersionKind()
NUMBER = NumberKind()
DAY = DayKind()
MOMENT = MomentKind()


def choices(labels: Mapping[str, str | Promise], **unions: tuple[str, ...]) -> ChoiceKind:
    """The choices of a model's field. `unions` are further names, each for several values."""
    return ChoiceKind({value: (value,) for value in labels} | unions, labels)


def _keys(column: str, operator: Operator, key: str) -> Q:
    return Q(_lookup(operator, VersionKey(F(column)), Literal(key, TextField())))


def number_compares(expression: Combinable | F, operator: Operator, wanted: float) -> Q:
    return Q(_lookup(operator, expression, Literal(wanted)))


def _lookup(operator: Operator, left: Any, right: Any) -> Any:
    make: Callable[[Any, Any], Any] = LOOKUPS[operator]
    return make(left, right)


def _day(text: str) -> date | None:
    """A day of the years that every time zone and database has."""
    try:
        day = date.fromisoformat(text) if WRITTEN_DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and FIRST_YEAR <= day.year <= LAST_YEAR else None
