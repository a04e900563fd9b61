"""On an upgrade everyone keeps what they see and may do: permissions of groups and people become grants of roles.

A group, or a person with permissions of their own, gets a role with their permissions of actions, or the built-in role
that has the same ones. Until now everyone saw everything, so people without such a permission become viewers. The
permissions of Django stay, because the previous release reads them.
"""

from itertools import chain, count
from typing import Any

from django.db import migrations

OPERATOR = {
    "accounts.handle_alerts": "handle_alerts",
    "accounts.send_commands": "send_commands",
    "accounts.plan_maintenance": "plan_maintenance",
    "accounts.write_notes": "write_notes",
    "accounts.send_digests": "send_digests",
    "accounts.resend_deliveries": "resend_deliveries",
    "accounts.override_shifts": "override_shifts",
}
LEAD = OPERATOR | {
    "accounts.send_dangerous_commands": "send_dangerous_commands",
    "accounts.edit_rules": "edit_rules",
    "accounts.edit_destinations": "edit_destinations",
    "accounts.edit_policies": "edit_policies",
    "accounts.edit_rotations": "edit_rotations",
    "accounts.plan_digests": "plan_digests",
    "fleet.change_site": "edit_sites",
}
BUILT_IN = {"Viewer": {}, "Operator": OPERATOR, "Lead": LEAD}
"""Those that people may need now. The others are created after the migrations."""


def grant(apps: Any, schema_editor: Any) -> None:
    User, Group, Grant = (
        apps.get_model("accounts", "User"),
        apps.get_model("auth", "Group"),
        apps.get_model("accounts", "Grant"),
    )
    roles = {name: built_in(apps, name) for name in BUILT_IN}
    for group in Group.objects.order_by("pk"):
        role = role_for(apps, roles, group.name, group.permissions)
        if role is not None:
            Grant.objects.bulk_create(Grant(person=person, role=role) for person in group.user_set.all())
    for person in User.objects.filter(user_permissions__isnull=False).distinct():
        role = role_for(apps, roles, f"Permissions of {person.username}", person.user_permissions)
        if role is not None:
            Grant.objects.create(person=person, role=role)
    others = User.objects.filter(is_active=True, is_superuser=False, grants=None)
    Grant.objects.bulk_create(Grant(person=person, role=roles["Viewer"]) for person in others)


def built_in(apps: Any, name: str) -> Any:
    values = {"permissions": sorted(BUILT_IN[name].values()), "is_builtin": True}
    return apps.get_model("accounts", "Role").objects.get_or_create(name=name, defaults=values)[0]


def role_for(apps: Any, roles: dict[str, Any], name: str, permissions: Any) -> Any:
    """The role with these permissions; None if none of them is of an action."""
    full = (f"{app}.{code}" for app, code in permissions.values_list("content_type__app_label", "codename"))
    keys = sorted(LEAD[one] for one in full if one in LEAD)
    if not keys:
        return None
    same = next((role for role in roles.values() if role.permissions == keys), None)
    return same or apps.get_model("accounts", "Role").objects.create(name=free_name(apps, name), permissions=keys)


def free_name(apps: Any, name: str) -> str:
    taken = {"Administrator", *apps.get_model("accounts", "Role").objects.values_list("name", flat=True)}
    numbered = (f"{name[:80]} ({number})" for number in count(2))
    return next(one for one in chain([name[:100]], numbered) if one not in taken)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_grants"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
