"""Columns of tags and attributes: `tags` has all tags of a row, `attr.floor` the value of one attribute."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import ClassVar, Self

from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.labels.attributes import read_value, write_values
from tms.fleet.labels.subjects import SUBJECTS, Subject
from tms.fleet.labels.tags import TagChange, labels_changed, write_tags
from tms.fleet.models import Attribute, AttributeSubject, AttributeType
from tms.fleet.models.attribute import as_text
from tms.transfer.kinds.base import BATCH, Reach, RowKind
from tms.transfer.kinds.cells import FileColumn, attribute_value, split_tags, tags
from tms.transfer.nearest import Nearest
from tms.transfer.rows import FileRow, Key, Record, StoredRow

TAGS = "tags"
PREFIX = "attr."
TAG_COLUMN = FileColumn(TAGS, tags, ("lobby step-free", ""))
EXAMPLES: Mapping[str, tuple[str, str]] = {
    AttributeType.NUMBER: ("2", ""),
    AttributeType.DAY: ("2027-03-31", ""),
}


class LabelledRows(RowKind):
    """Rows with tags and attributes. Changing these needs `manage_groups` for the row, too."""

    subject: ClassVar[AttributeSubject]
    attributes: Mapping[str, Attribute] = {}
    """The attributes by column."""

    def current(self) -> Self:
        made = type(self)()
        defined = Attribute.objects.filter(subject=self.subject).order_by("name")
        made.attributes = {PREFIX + attribute.name: attribute for attribute in defined}
        made.columns = (*type(self).columns, *(_column(name, each) for name, each in made.attributes.items()))
        return made

    @property
    def _of(self) -> Subject:
        return SUBJECTS[self.subject]

    @abstractmethod
    def stored_rows(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        """`stored` without tags and attributes."""

    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        found = self.stored_rows(keys, reach)
        records = {row.pk: row.record for row in found.values()}
        for some in batched(records, BATCH):
            self._add_tags(some, records)
            self._add_values(some, records)
        return found

    def _add_tags(self, pks: Sequence[int], records: Mapping[int, Record]) -> None:
        names: defaultdict[int, list[str]] = defaultdict(list)
        rows = self._of.tags.objects.filter(**{f"{self._of.column}__in": pks}).order_by("name")
        for pk, name in rows.values_list(self._of.column, "name"):
            names[pk].append(name)
        for pk in pks:
            records[pk][TAGS] = " ".join(sorted(names.get(pk, ())))

    def _add_values(self, pks: Sequence[int], records: Mapping[int, Record]) -> None:
        if not self.attributes:
            return
        columns = {attribute.pk: name for name, attribute in self.attributes.items()}
        rows = self._of.values.objects.filter(**{f"{self._of.column}__in": pks}, attribute__in=columns).order_by()
        for pk, attribute, text, number, day in rows.values_list(
            self._of.column, "attribute_id", "text", "number", "day"
        ):
            value = next((each for each in (number, day) if each is not None), text)
            records[pk][columns[attribute]] = as_text(value)

    def may_label_new(self, row: FileRow, reach: Reach) -> bool:
        """Whether the person may set tags of a new row, with the permission of `reach`."""
        return reach.sites.get(row.after.get("site", "")) in reach.permitted_sites

    def check_labels(self, rows: Sequence[FileRow], reach: Reach) -> None:
        """Refuse values that are no choice, and tags and attributes that the person may not change."""
        changed = [(row, names) for row in rows if (names := list(_changed(row)))]
        nearest: defaultdict[str, Nearest] = defaultdict(Nearest)
        for row, names in changed:
            for name in names:
                self._check_value(row, name, nearest[name])
        manage = Reach(reach.person, Permission.MANAGE_GROUPS, reach.at, nearest=reach.nearest)
        if not changed or manage.may_within(EVERYTHING):
            return
        permitted = self._permitted([row.pk for row, _names in changed if row.pk is not None], manage)
        for row, names in changed:
            if not (self.may_label_new(row, manage) if row.pk is None else row.pk in permitted):
                row.refuse(names[0], row.after[names[0]], "forbidden-labels")

    def _check_value(self, row: FileRow, name: str, nearest: Nearest) -> None:
        attribute, value = self.attributes.get(name), row.after[name]
        if name != TAGS and attribute is None:  # deleted since
            row.refuse(name, value, "unknown-attribute")
        elif attribute is not None and attribute.type == AttributeType.CHOICE and value not in ("", *attribute.choices):
            choices = [str(each) for each in attribute.choices]
            row.refuse(name, value, "not-a-choice", nearest(value, choices), choices=", ".join(choices[:20]))

    def _permitted(self, pks: Iterable[int], reach: Reach) -> set[int]:
        rows = self.model._base_manager
        return {pk for some in batched(pks, BATCH) for pk in reach.permitted(rows.filter(pk__in=some))}

    def write_labels(self, rows: Iterable[FileRow], *, are_new: bool = False) -> None:
        """Write those that changed. Groups follow them; new rows are put into groups as a whole, by the caller."""
        change = TagChange(defaultdict(list), defaultdict(list))
        values: defaultdict[str, dict[int, str]] = defaultdict(dict)
        touched = set[int]()
        for row in rows:
            for name in _changed(row):
                touched.add(row.stored_pk)
                if name == TAGS:
                    _add_change(change, row)
                else:
                    values[name][row.stored_pk] = row.after[name]
        write_tags(self._of, change)
        for name, texts in values.items():
            attribute = self.attributes[name]
            read = {pk: read_value(attribute, text) if text else None for pk, text in texts.items()}
            write_values(self._of, attribute, read)
        if touched and not are_new:
            labels_changed.send(self.model, model=self.model, rows=frozenset(touched))


def _column(name: str, attribute: Attribute) -> FileColumn:
    choices = [str(each) for each in attribute.choices[:2]]
    examples = EXAMPLES.get(attribute.type) or ("", "", *choices)[-2:]
    return FileColumn(name, attribute_value(attribute), (examples[0], examples[1]))


def _changed(row: FileRow) -> Iterator[str]:
    """The columns of tags and attributes that the row changes."""
    for name, value in row.after.items():
        if (name == TAGS or name.startswith(PREFIX)) and value != row.before.get(name, ""):
            yield name


def _add_change(change: TagChange, row: FileRow) -> None:
    before, after = set(split_tags(row.before.get(TAGS, ""))), set(split_tags(row.after[TAGS]))
    for names, tagged in ((after - before, change.added), (before - after, change.removed)):
        for name in names:
            tagged[name].append(row.stored_pk)
