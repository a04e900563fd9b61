"""The built-in roles. They exist in every installation, and follow the release."""

from typing import Any

from django.apps import apps as installed

from tms.accounts.models import Role
from tms.accounts.permissions import Permission

VIEWER = frozenset[Permission]()
OPERATOR = VIEWER | {
    Permission.HANDLE_ALERTS,
    Permission.SEND_COMMANDS,
    Permission.PLAN_MAINTENANCE,
    Permission.WRITE_NOTES,
    Permission.SEND_DIGESTS,
    Permission.RESEND_DELIVERIES,
    Permission.OVERRIDE_SHIFTS,
    Permission.INSPECT_TERMINALS,
}
LEAD = OPERATOR | {
    Permission.SEND_DANGEROUS_COMMANDS,
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
}
ADMINISTRATOR = frozenset(Permission)

BUILT_IN = {"Viewer": VIEWER, "Operator": OPERATOR, "Lead": LEAD, "Administrator": ADMINISTRATOR}


def built_in(name: str) -> Role:
    """The built-in role, with the permissions of this release."""
    values = {"permissions": sorted(permission.key for permission in BUILT_IN[name]), "is_builtin": True}
    role, is_new = Role.objects.get_or_create(name=name, defaults=values)
    if not is_new and role.is_builtin and role.permissions != values["permissions"]:
        Role.objects.filter(pk=role.pk).update(permissions=values["permissions"])
        role.permissions = values["permissions"]
    return role


def after_migrations(*, apps: Any = installed, **_: object) -> None:
    """Nothing if the migrations were undone: the table of roles is gone."""
    if "role" in apps.all_models["accounts"]:
        for name in BUILT_IN:
            built_in(name)
