"""Which tags and attributes the queries of dynamic groups read."""

from collections.abc import Collection
from typing import NamedTuple

from tms.accounts.access import Person, visible
from tms.fleet.groups.conditions import conditions_of, is_pattern, selects
from tms.fleet.models import Group
from tms.query.tree import Value

TAG = "tag"
PREFIX = "attr."


class LabelConditions(NamedTuple):
    """The conditions of one group on tags and attributes."""

    group: Group
    tags: tuple[Value, ...]
    attributes: frozenset[str]

    def names_tag(self, name: str) -> bool:
        """Whether the query has this very tag."""
        return any(not is_pattern(value) and value.text.casefold() == name for value in self.tags)

    def reads_tag(self, name: str) -> bool:
        """Whether a terminal with the tag may match where one without it does not."""
        return any(selects(value, name) for value in self.tags)

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


def seen_among(groups: Collection[Group], *, to: Person) -> set[Group]:
    """The groups that a person sees: the names of others are not told."""
    return set(visible(Group.objects.filter(pk__in=[group.pk for group in groups]), to=to)) if groups else set()


def _of(group: Group) -> LabelConditions:
    conditions = conditions_of(group.query)
    return LabelConditions(
        group,
        tuple(value for field, values in conditions if field == TAG for value in values),
        frozenset(field.removeprefix(PREFIX) for field, _values in conditions if field.startswith(PREFIX)),
    )
