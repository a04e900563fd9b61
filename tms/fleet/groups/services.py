"""Services for groups whose members people choose."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction

from tms.accounts.access import demand_within
from tms.accounts.audit import recorder
from tms.accounts.models import Grant, User
from tms.accounts.permissions import Permission
from tms.accounts.scope import Scope
from tms.fleet.groups.uses import blocking_uses
from tms.fleet.identity import history
from tms.fleet.models import Group, IdentitySource, Terminal

MAX_NAMES = 100
"""Members that an entry of the audit trail names."""


class GroupInUse(Exception):
    """Rows refer to the group; `by` has the number of each kind, by its verbose name."""

    code = "tms:group-in-use"

    def __init__(self, by: dict[str, int]) -> None:
        super().__init__("used by " + ", ".join(f"{number} {name}" for name, number in by.items()))
        self.by = by


class MembersByQuery(Exception):
    """Nobody chooses the members of a dynamic group."""

    code = "tms:dynamic-group"


def create_group(name: str) -> Group:
    """The name must be free: IntegrityError."""
    group = Group(name=name)
    with recorder.change(group):
        group.save(force_insert=True)
    return group


def rename_group(group: Group, *, name: str) -> None:
    with recorder.change(group):
        group.name = name
        group.save(update_fields=("name",))


@transaction.atomic
def set_members(
    group: Group,
    *,
    add: Collection[int] = (),
    remove: Collection[int] = (),
    by: User | None,
    at: datetime,
    source: IdentitySource = IdentitySource.PERSON,
) -> tuple[int, int]:
    """Add and remove terminals. Returns how many were added and removed.

    Raises Forbidden if the group is the scope of a grant and `by` may not manage people for it: its members are what
    other people see; raises MembersByQuery for a dynamic group.
    """
    if Group.objects.select_for_update().get(pk=group.pk).is_dynamic:
        raise MembersByQuery(group.name)
    members = set(group.terminals.through.objects.filter(group=group).values_list("terminal", flat=True))
    added = sorted(set(add) - members)
    removed = sorted(set(remove) & members - set(added))
    if not added and not removed:
        return 0, 0
    if by is not None:
        demand_members(group, by=by)
    write_members(group, added, removed, by=by, at=at, source=source)
    recorder.record("members-changed", group, {"added": ([], _uids(added)), "removed": (_uids(removed), [])})
    return len(added), len(removed)


def write_members(
    group: Group,
    added: Collection[int],
    removed: Collection[int],
    *,
    by: User | None,
    at: datetime,
    source: IdentitySource,
) -> None:
    with history.recording([*added, *removed], by=by, at=at, source=source):
        group.terminals.add(*added)
        group.terminals.remove(*removed)


def demand_members(group: Group, *, by: User) -> None:
    """Raises Forbidden if changing the members would change what other people may see or do, and `by` may not."""
    if is_scope_of_grant(group):
        demand_within(by, Permission.MANAGE_PEOPLE, Scope.of(group=group.pk))


def is_scope_of_grant(group: Group) -> bool:
    return Grant.objects.filter(group=group).exists()


@transaction.atomic
def delete_group(group: Group, *, by: User | None, at: datetime) -> None:
    """Raises GroupInUse if a grant, a rule, a maintenance window or another row refers to it."""
    Group.objects.select_for_update().get(pk=group.pk)
    if used := blocking_uses(group):
        raise GroupInUse(used)
    members = list(group.terminals.values_list("pk", flat=True))
    with history.recording(members, by=by, at=at):
        recorder.record("deleted", group, {"members": (_uids(members), [])})
        group.delete()


def _uids(terminals: Iterable[int]) -> list[str]:
    shown = list(terminals)[:MAX_NAMES]
    return sorted(Terminal.objects.filter(pk__in=shown).values_list("uid", flat=True))
