"""Groups in files: a row is a member of a group. Without a terminal it is the group itself."""

from collections.abc import Collection, Sequence
from itertools import batched

from django.utils.translation import gettext_lazy as _

from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING
from tms.fleet.identity import history
from tms.fleet.models import Group, IdentitySource, Terminal
from tms.transfer.kinds.base import BATCH, Reach, RowKind, Work, delete_unused, terminal_pks
from tms.transfer.kinds.cells import FileColumn, text, uid
from tms.transfer.kinds.membership import GroupReach, MemberWriter
from tms.transfer.rows import FileRow, Key, StoredRow


class GroupRows(RowKind):
    """A file adds members; it removes none. A terminal's column `groups` does that."""

    name = "groups"
    label = _("Groups")
    model = Group
    permission = Permission.MANAGE_GROUPS
    key = ("name", "uid")
    columns = (
        FileColumn("name", text(100), ("Lobby", "Lobby"), is_required=True),
        FileColumn("uid", uid, ("SJK-KSK-01", "SJK-PAY-01")),
    )

    def stored(self, keys: Collection[Key], reach: Reach) -> dict[Key, StoredRow]:
        wanted = set(keys)
        found: dict[Key, StoredRow] = {}
        for some in batched(sorted({name for name, _uid in keys}), BATCH):
            groups = dict(Group.objects.filter(name__in=some, query="").order_by().values_list("name", "pk"))
            found |= {(name, ""): StoredRow(pk, {}) for name, pk in groups.items() if (name, "") in wanted}
            members = Group.terminals.through.objects.filter(group__in=groups.values()).order_by()
            for pk, name, member in members.values_list("pk", "group__name", "terminal__uid").iterator(10_000):
                if (name, member) in wanted:
                    found[name, member] = StoredRow(pk, {})
        return found

    def check(self, rows: Sequence[FileRow], reach: Reach) -> None:
        groups = GroupReach(reach)
        taken = set(Group.objects.order_by().values_list("name", flat=True)) - groups.visible.keys()
        may_create = reach.may_within(EVERYTHING)
        terminals = _permitted([row for row in rows if row.pk is None], reach)
        seen = reach.seen_terminals(row.key[1] for row in rows if row.pk is not None and row.key[1])
        for row in rows:
            name, member = row.key
            if row.pk is not None:  # there already: whether it is there is known to those who see it
                if name not in groups.visible or (member and member not in seen):
                    row.refuse("uid", member, "unknown-terminal")
                continue
            if name in groups.visible or name in groups.dynamic:
                groups.check(row, "name", name)
            elif name in taken:
                row.refuse("name", name, "taken")
            elif not may_create:
                row.refuse("name", name, "forbidden-group")
            if member and member not in terminals:
                row.refuse("uid", member, "unknown-terminal", reach.nearest_terminal(member))

    def check_reverting(self, rows: Sequence[FileRow], reach: Reach) -> None:
        groups = GroupReach(reach)
        for row in rows:
            groups.check(row, "name", row.key[0])

    def write(self, rows: Sequence[FileRow], work: Work) -> None:
        known = set(Group.objects.order_by().values_list("name", flat=True))
        for row in rows:
            if row.key[0] not in known:
                known.add(row.key[0])
                row.made["group"] = _create(row.key[0])
        members = MemberWriter()
        for some in batched([row for row in rows if row.key[1]], BATCH):
            pks = terminal_pks(row.key[1] for row in some)
            with history.recording(list(pks.values()), by=work.by, at=work.at, source=IdentitySource.IMPORT):
                members.add((pks[member], name) for name, member in (row.key for row in some))
            work.advance(len(some))

    def delete(self, rows: Sequence[FileRow], work: Work) -> set[Key]:
        members, deleted = MemberWriter(), set[Key]()
        for some in batched([row for row in rows if row.key[1]], BATCH):
            pks = terminal_pks(row.key[1] for row in some)
            with history.recording(list(pks.values()), by=work.by, at=work.at, source=IdentitySource.IMPORT):
                members.remove((pks.get(member), name) for name, member in (row.key for row in some))
            deleted.update(row.key for row in some)
        made = [row for row in rows if "group" in row.made]
        empty = set(
            Group.objects.filter(pk__in=[row.made["group"] for row in made], terminals=None).values_list(
                "pk", flat=True
            )
        )
        stored = {row.key: StoredRow(row.made["group"], {}) for row in made if row.made["group"] in empty}
        return deleted | delete_unused(Group, made, stored)

    def keys(self, reach: Reach) -> list[Key]:
        groups = dict(reach.visible(Group.objects.filter(query="")).order_by().values_list("pk", "name"))
        seen = reach.visible(Terminal.objects.all()).order_by().values("pk")
        members = Group.terminals.through.objects.filter(group__in=groups)
        if not reach.sees_everything:
            members = members.filter(terminal__in=seen)
        found: list[Key] = list(members.order_by().values_list("group__name", "terminal__uid"))
        with_members = {name for name, _uid in found}
        return sorted([*found, *((name, "") for name in groups.values() if name not in with_members)])


def _create(name: str) -> int:
    return Group.objects.create(name=name).pk


def _permitted(rows: Sequence[FileRow], reach: Reach) -> set[str]:
    """The terminals among those of the rows that the person may put into groups."""
    found: set[str] = set()
    for some in batched({row.key[1] for row in rows if row.key[1]}, BATCH):
        terminals = dict(Terminal.objects.filter(uid__in=some).order_by().values_list("pk", "uid"))
        found.update(terminals[pk] for pk in reach.permitted(Terminal.objects.filter(pk__in=terminals)))
    return found
