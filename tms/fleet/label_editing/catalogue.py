"""All tags and attributes of the fleet: how many rows have each, and which dynamic groups read it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import Person, visible
from tms.fleet.groups.label_conditions import LabelConditions, label_conditions, seen_among
from tms.fleet.labels.attributes import save_attribute
from tms.fleet.labels.subjects import SUBJECTS
from tms.fleet.labels.tags import rename_everywhere
from tms.fleet.models import Attribute, AttributeSubject, Group

MAX_TAGS = 200
"""Tags that the page lists; the search finds the others."""


class NamedByGroups(ValueError):
    """Queries of these dynamic groups name the tag or attribute: with another name they would select nothing."""

    code = "tms:named-by-groups"

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__("named by the queries of " + ", ".join(group.name for group in groups))
        self.groups = groups


class TagLine(NamedTuple):
    """A tag, and how many rows of each subject have it, as far as the reader sees them."""

    name: str
    numbers: dict[str, int]
    groups: list[Group]


class AttributeLine(NamedTuple):
    attribute: Attribute
    number: int
    groups: list[Group]


def tag_lines(begun: str, *, to: Person) -> tuple[list[TagLine], bool]:
    """The first tags that begin with a text, and whether there are more."""
    numbers = _numbers(begun, to)
    names = sorted(numbers)
    conditions = _seen_conditions(to)
    lines = [
        TagLine(name, numbers[name], [each.group for each in conditions if each.reads_tag(name)])
        for name in names[:MAX_TAGS]
    ]
    return lines, len(names) > MAX_TAGS


def tag_line(name: str, *, to: Person) -> TagLine | None:
    """None if no row that the reader sees has it."""
    found = {
        each.name: number
        for each in SUBJECTS.values()
        if (number := visible(each.tags.objects.filter(name=name), to=to).count())
    }
    return (
        TagLine(name, found, [each.group for each in _seen_conditions(to) if each.reads_tag(name)]) if found else None
    )


def attribute_lines(*, to: Person) -> list[AttributeLine]:
    numbers: dict[int, int] = {}
    for subject in SUBJECTS.values():
        values = visible(subject.values.objects.order_by(), to=to)
        numbers |= dict(values.values_list("attribute").annotate(number=Count("pk")))
    conditions = _seen_conditions(to)
    return [
        AttributeLine(each, numbers.get(each.pk, 0), _reading(conditions, each.name))
        for each in Attribute.objects.order_by("name")
    ]


def number_of_values(attribute: Attribute, *, to: Person) -> int:
    subject = SUBJECTS[AttributeSubject(attribute.subject)]
    return int(visible(subject.values.objects.filter(attribute=attribute), to=to).count())


def groups_reading_attribute(name: str) -> list[Group]:
    return _reading(label_conditions(), name)


def _seen_conditions(to: Person) -> list[LabelConditions]:
    conditions = label_conditions()
    seen = seen_among([each.group for each in conditions], to=to)
    return [each for each in conditions if each.group in seen]


def _reading(conditions: Iterable[LabelConditions], name: str) -> list[Group]:
    return [each.group for each in conditions if each.reads_attribute(name)]


def rename_tag(name: str, to: str) -> None:
    """Raises NamedByGroups, and ValidationError for what is no tag."""
    naming = [each.group for each in label_conditions() if each.names_tag(name)]
    if naming:
        raise NamedByGroups(naming)
    rename_everywhere(name, to)


def change_attribute(attribute: Attribute, *, before: str) -> None:
    """Save a changed definition, whose name was `before`. Raises NamedByGroups and ValidationError."""
    if attribute.name != before and (naming := groups_reading_attribute(before)):
        raise NamedByGroups(naming)
    save_attribute(attribute)


def _numbers(begun: str, to: Person) -> dict[str, dict[str, int]]:
    """The first names of each subject, and so of all of them together."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for subject in SUBJECTS.values():
        rows = visible(subject.tags.objects.filter(name__startswith=begun.casefold()), to=to).order_by("name")
        for name, number in rows.values_list("name").annotate(number=Count("pk"))[: MAX_TAGS + 1]:
            found[name][subject.name] = number
    return found
