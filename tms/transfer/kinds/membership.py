"""Members of groups, as several kinds of rows change them."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import batched
from typing import Any

from tms.accounts import access
from tms.accounts.models import Grant
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.models import Group
from tms.transfer.kinds.base import BATCH, Reach
from tms.transfer.nearest import Nearest
from tms.transfer.rows import FileRow


class GroupReach:
    """The groups whose members a person may change. Those of a dynamic group follow from its query.

    Those of a group that is the scope of a grant are what other people see: that needs to manage people, too.
    """

    def __init__(self, of: Reach) -> None:
        self._person, self._nearest = of.person, Nearest()
        reach = replace(of, permission=Permission.MANAGE_GROUPS)
        groups = reach.visible(Group.objects.all()).order_by().values_list("name", "pk")
        self.visible = dict(groups.filter(query=""))
        self.dynamic = frozenset(dict(groups.exclude(query="")))
        self._permitted = reach.permitted(Group.objects.all())
        self._of_grants = set(Grant.objects.exclude(group=None).order_by().values_list("group", flat=True))
        self._answers: dict[int, bool] = {}

    def check(self, row: FileRow, column: str, name: str) -> None:
        pk = self.visible.get(name)
        if name in self.dynamic:
            row.refuse(column, name, "dynamic-group")
        elif pk is None:
            row.refuse(column, name, "unknown-group", self._nearest(name, self.visible))
        elif not self.may_change(pk):
            row.refuse(column, name, "forbidden-group")

    def may_change(self, pk: int) -> bool:
        if pk not in self._answers:
            self._answers[pk] = pk in self._permitted and (pk not in self._of_grants or self._may_grant(pk))
        return self._answers[pk]

    def _may_grant(self, pk: int) -> bool:
        return access.may_within(self._person, Permission.MANAGE_PEOPLE, Scope.of(group=pk))


class MemberWriter:
    """Writes memberships, many at once. The caller records the history."""

    def __init__(self) -> None:
        self._pks: dict[str, int] = {}

    def add(self, members: Iterable[tuple[int | None, str]]) -> None:
        through: Any = Group.terminals.through
        rows = [through(terminal_id=pk, group_id=self._pk(name)) for pk, name in members]
        through.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)

    def remove(self, members: Iterable[tuple[int | None, str]]) -> None:
        through: Any = Group.terminals.through
        by_group: dict[int, list[int]] = {}
        for pk, name in members:
            if pk is not None:
                by_group.setdefault(self._pk(name), []).append(pk)
        for group, pks in by_group.items():
            for some in batched(pks, BATCH):
                through.objects.filter(group=group, terminal__in=some).delete()

    def _pk(self, name: str) -> int:
        if name not in self._pks:
            self._pks[name] = Group.objects.values_list("pk", flat=True).get(name=name)
        return self._pks[name]
