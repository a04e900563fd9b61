"""The matrix of permissions and roles."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import pgettext_lazy

from tms.accounts.models import Role, User
from tms.accounts.permissions import Permission
from tms.accounts.roles import BUILT_IN

ACT = (
    Permission.HANDLE_ALERTS,
    Permission.SEND_COMMANDS,
    Permission.SEND_DANGEROUS_COMMANDS,
    Permission.PLAN_MAINTENANCE,
    Permission.WRITE_NOTES,
    Permission.SEND_DIGESTS,
    Permission.RESEND_DELIVERIES,
    Permission.OVERRIDE_SHIFTS,
    Permission.INSPECT_TERMINALS,
)
SET_UP = (
    Permission.EDIT_RULES,
    Permission.EDIT_DESTINATIONS,
    Permission.EDIT_POLICIES,
    Permission.EDIT_ROTATIONS,
    Permission.PLAN_DIGESTS,
    Permission.EDIT_SITES,
    Permission.MANAGE_TERMINALS,
    Permission.ENROL_TERMINALS,
    Permission.MANAGE_GROUPS,
    Permission.IMPORT_FLEET,
    Permission.MANAGE_INSPECTIONS,
    Permission.RUN_JOBS,
    Permission.RUN_ROLLOUTS,
    Permission.EDIT_CONFIGURATION,
    Permission.MANAGE_ARTIFACTS,
    Permission.MANAGE_SCREENS,
)
ADMINISTER = (
    Permission.MANAGE_PEOPLE,
    Permission.EDIT_ROLES,
    Permission.EDIT_PROVIDERS,
    Permission.DEFINE_COMMANDS,
    Permission.MANAGE_TOKENS,
    Permission.READ_AUDIT,
)
PARTS: Sequence[tuple[Any, Sequence[Permission]]] = (
    (pgettext_lazy("permissions", "Act"), ACT),
    (pgettext_lazy("permissions", "Set up"), SET_UP),
    (pgettext_lazy("permissions", "Administer"), ADMINISTER),
)
"""The order of the permissions on pages. One that is missing here is in the last part."""


class PermissionLine(NamedTuple):
    label: Any
    key: str
    cells: Sequence[bool] = ()
    """Whether each role has it."""
    is_chosen: bool = False
    may_choose: bool = True


class PermissionPart(NamedTuple):
    label: Any
    lines: Sequence[PermissionLine]


class RoleColumn(NamedTuple):
    role: Role
    people: int


def cells_of(permission: Permission, columns: Iterable[RoleColumn]) -> PermissionLine:
    cells = [permission in column.role.known_permissions for column in columns]
    return PermissionLine(permission.label, permission.key, cells)


def parts(line: Callable[[Permission], PermissionLine]) -> list[PermissionPart]:
    """The lines of all permissions, in their parts."""
    placed = {permission for _label, permissions in PARTS for permission in permissions}
    rest = [permission for permission in Permission if permission not in placed]
    *first, (last, permissions) = PARTS
    every = (*first, (last, (*permissions, *rest)))
    return [PermissionPart(label, [line(each) for each in ones]) for label, ones in every]


def sorted_roles() -> list[Role]:
    """The built-in ones in the order of their permissions, own ones between them by size."""
    order = list(BUILT_IN)
    return sorted(Role.objects.all(), key=lambda role: (len(role.known_permissions), role.name not in order, role.name))


def holders(role: Role) -> QuerySet[User]:
    """The people who hold the role, themselves or through a team."""
    return User.objects.filter(Q(grants__role=role) | Q(teams__grants__role=role)).distinct()
