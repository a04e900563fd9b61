"""The rows of bulk edits: terminals, with one column for each fact that an edit changes.

Undo compares these columns alone: a terminal that got another tag since still loses the tag of the edit.
"""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import batched
from typing import Any

import msgspec
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.fleet.groups.services import write_members
from tms.fleet.labels import attributes, tags
from tms.fleet.models import Attribute, AttributeSubject, Group, Terminal, TerminalAttribute, TerminalTag
from tms.transfer.kinds.base import BATCH, Reach, RowKind, Work
from tms.transfer.kinds.edits import Edit, EditKind
from tms.transfer.kinds.membership import GroupReach
from tms.transfer.kinds.registry import KINDS
from tms.transfer.models import Import
from tms.transfer.rows import FileRow, Key, Record, StoredRow


class FactRows(RowKind):
    """Terminals with some facts of each, all of which are texts; empty where a terminal has none."""

    name = "facts"
    label = _("Terminals")
    model = Terminal
    permission = Permission.MANAGE_GROUPS
    key = ("uid",)
    columns = ()

    def __init__(self, edit: Edit) -> None:
        self.edit = edit
        self.empty: Record = dict.fromkeys(edit.given, "")

    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        found: dict[Key, StoredRow] = {}
        for some in batched([uid for (uid,) in keys], BATCH):
            pks = dict(Terminal.objects.filter(uid__in=some).order_by().values_list("uid", "pk"))
            facts = self.facts(list(pks.values()))
            found |= {(uid,): StoredRow(pk, {**self.empty, **facts.get(pk, {})}) for uid, pk in pks.items()}
        return found

    @abstractmethod
    def facts(self, pks: Collection[int]) -> Mapping[int, Record]:
        """The facts that these terminals have."""

    @abstractmethod
    def put(self, pks: Collection[int], facts: Record, work: Work) -> None:
        """Give all of these terminals the same facts."""

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        self.check_permitted(rows, reach, unseen="unknown-terminal")

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        # In the order of their keys, in which everything locks terminals.
        for some in batched(sorted(rows, key=lambda row: row.stored_pk), BATCH):
            alike: defaultdict[tuple[tuple[str, str], ...], list[int]] = defaultdict(list)
            for row in some:
                alike[tuple(row.after.items())].append(row.stored_pk)
            for facts, pks in alike.items():
                self.put(pks, dict(facts), work)
            work.advance(len(some))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        return set()

    def keys(self, reach: Reach) -> list[Key]:
        return []


class TagRows(FactRows):
    def facts(self, pks: Collection[int]) -> Mapping[int, Record]:
        found: defaultdict[int, Record] = defaultdict(dict)
        stored = TerminalTag.objects.filter(terminal__in=pks, name__in=self.edit.tags).order_by()
        for pk, name in stored.values_list("terminal", "name"):
            found[pk][f"tag:{name}"] = name
        return found

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        super().check(rows, reach)
        for some in batched((row for row in rows if any(row.after.values())), BATCH):
            stored = TerminalTag.objects.filter(terminal__in=[row.stored_pk for row in some]).order_by()
            numbers = dict(stored.values_list("terminal").annotate(number=Count("pk")))
            for row in some:
                added = sum(bool(name) for name in row.after.values())
                if numbers.get(row.stored_pk, 0) + added > tags.MAX_TAGS:
                    row.refuse("tag", "", "too-many-tags", most=tags.MAX_TAGS)

    def put(self, pks: Collection[int], facts: Record, work: Work) -> None:
        add = [name for name in facts.values() if name]
        remove = [column.removeprefix("tag:") for column, name in facts.items() if not name]
        tags.change_tags(Terminal, pks, add=add, remove=remove, is_recorded=False)


class AttributeRows(FactRows):
    def _attribute(self) -> Attribute | None:
        return Attribute.objects.filter(subject=AttributeSubject.TERMINAL, name=self.edit.attribute).first()

    def facts(self, pks: Collection[int]) -> Mapping[int, Record]:
        stored = TerminalAttribute.objects.filter(terminal__in=pks, attribute__name=self.edit.attribute)
        [column] = self.empty
        return {each.terminal_id: {column: attributes.written(each.value)} for each in stored}

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        super().check(rows, reach)
        attribute, known = self._attribute(), set[str]()
        for row in rows:
            [text] = row.after.values()
            if attribute is None or (text not in known and not _is_readable(attribute, text)):
                row.refuse(self.edit.attribute, text, "attribute-changed")
            known.add(text)

    def put(self, pks: Collection[int], facts: Record, work: Work) -> None:
        if (attribute := self._attribute()) is not None:
            [text] = facts.values()
            attributes.set_values(Terminal, pks, {attribute: text}, is_recorded=False)


def _is_readable(attribute: Attribute, text: str) -> bool:
    try:
        return not text or bool(attributes.read_value(attribute, text)) or True
    except attributes.BadValue:
        return False


class MemberRows(FactRows):
    def facts(self, pks: Collection[int]) -> Mapping[int, Record]:
        members = Group.terminals.through.objects.filter(group=self.edit.group, terminal__in=pks).order_by()
        return {pk: {"group": self.edit.name} for pk in members.values_list("terminal", flat=True)}

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        super().check(rows, reach)
        group = Group.objects.filter(pk=self.edit.group).first()
        if group is None:
            fault = "unknown-group"
        elif group.is_dynamic:
            fault = "dynamic-group"
        elif not GroupReach(reach).may_change(group.pk):
            fault = "forbidden-group"
        else:
            return
        for row in rows:
            row.refuse("group", self.edit.name, fault)

    def put(self, pks: Collection[int], facts: Record, work: Work) -> None:
        group = Group.objects.get(pk=self.edit.group)
        # Locked, because one that is deleted meanwhile would only fail at the commit.
        terminals = Terminal.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")
        there = list(terminals.values_list("pk", flat=True))
        added, removed = (there, ()) if facts["group"] else ((), there)
        write_members(group, added, removed, by=work.by, at=work.at, source=work.source)


OF_FACTS: Mapping[EditKind, type[FactRows]] = {
    EditKind.TAG: TagRows,
    EditKind.UNTAG: TagRows,
    EditKind.ATTRIBUTE: AttributeRows,
    EditKind.GROUP: MemberRows,
}
"""The other kinds change columns that files have, too."""


def rows_of(edit: Edit) -> RowKind:
    return OF_FACTS[edit.kind](edit) if edit.kind in OF_FACTS else KINDS["terminals"]


def edit_of(chosen: Import) -> Edit:
    stored: Any = chosen.edit
    return msgspec.convert(stored, Edit)
