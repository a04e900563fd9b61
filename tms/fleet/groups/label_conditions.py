"""Which tags and attributes the queries of dynamic groups read."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from tms.fleet.models import Group
from tms.lib.db.pattern_lookup import ANY
from tms.query.errors import QueryError
from tms.query.parser import parse
from tms.query.tree import AllOf, AnyOf, Comparison, Negation, Part, Value

TAG = "tag"
PREFIX = "attr."


class LabelConditions(NamedTuple):
    """The conditions of one group on tags and attributes."""

    group: Group
    tags: tuple[Value, ...]
    attributes: frozenset[str]

    def names_tag(self, name: str) -> bool:
        """Whether the query has this very tag."""
        return any(not _is_pattern(value) and value.text.casefold() == name for value in self.tags)

    def reads_tag(self, name: str) -> bool:
        """Whether a terminal with the tag may match where one without it does not."""
        return any(_selects(value, name) for value in self.tags)

    def reads_attribute(self, name: str) -> bool:
        return name in self.attributes


def label_conditions() -> list[LabelConditions]:
    """The conditions of each dynamic group that has some."""
    found = (_of(group) for group in Group.objects.exclude(query="").order_by("name"))
    return [each for each in found if each.tags or each.attributes]


def groups_reading(tags: Collection[str], attributes: Collection[str]) -> list[LabelConditions]:
    """The conditions of the groups about which one of these tags or attributes decides."""
    return [
        each
        for each in label_conditions()
        if any(map(each.reads_tag, tags)) or any(map(each.reads_attribute, attributes))
    ]


def _of(group: Group) -> LabelConditions:
    try:
        conditions = list(_conditions(parse(group.query)))
    except QueryError:  # it selects nothing until somebody corrects it
        conditions = []
    fields = [(condition.field.casefold(), condition.values) for condition in conditions]
    return LabelConditions(
        group,
        tuple(value for field, values in fields if field == TAG for value in values),
        frozenset(field.removeprefix(PREFIX) for field, _values in fields if field.startswith(PREFIX)),
    )


def _conditions(part: Part) -> Iterator[Comparison]:
    # Recursion is safe: the parser bounds how deep parts are within each other.
    match part:
        case Comparison():
            yield part
        case Negation(part=inner):
            yield from _conditions(inner)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for each in parts:
                yield from _conditions(each)


def _is_pattern(value: Value) -> bool:
    return not value.is_quoted and ANY in value.text


def _selects(value: Value, tag: str) -> bool:
    """Whether the condition selects the tag; an empty text is a condition on every tag."""
    wanted = value.text.casefold()
    if not wanted:
        return True
    return _is_like(wanted, tag) if _is_pattern(value) else wanted == tag


def _is_like(pattern: str, text: str) -> bool:
    first, *middle, last = pattern.split(ANY)
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
