"""Everyone keeps what they could do before actions needed permissions; a new installation takes its groups from the fixture.

The group Setup becomes Manager; active staff become managers, and every other active person an operator, because until
now whoever could sign in could act. The group People goes: its members could make themselves superusers. The account of
the deployment checklist only looks.
"""

from typing import Any

from django.db import migrations

CHECKLIST = "check"
VIEWER = [
    "fleet.view_site",
    "fleet.view_openinghours",
    "fleet.view_ownday",
    "fleet.view_terminal",
    "fleet.view_group",
    "fleet.view_node",
    "alerts.view_alert",
    "alerts.view_transition",
    "commands.view_command",
]
OPERATOR = [
    *VIEWER,
    "accounts.handle_alerts",
    "accounts.send_commands",
    "accounts.plan_maintenance",
    "accounts.write_notes",
    "accounts.send_digests",
    "accounts.resend_deliveries",
    "accounts.override_shifts",
]
MANAGER = [
    *OPERATOR,
    "accounts.send_dangerous_commands",
    "accounts.edit_rules",
    "accounts.edit_destinations",
    "accounts.edit_policies",
    "accounts.edit_rotations",
    "accounts.plan_digests",
    "accounts.view_user",
    "accounts.view_auditentry",
    "accounts.view_apitoken",
    "accounts.add_apitoken",
    "accounts.change_apitoken",
    "fleet.add_site",
    "fleet.change_site",
    "fleet.add_openinghours",
    "fleet.change_openinghours",
    "fleet.delete_openinghours",
    "fleet.add_ownday",
    "fleet.change_ownday",
    "fleet.delete_ownday",
    "fleet.add_terminal",
    "fleet.change_terminal",
    "fleet.add_group",
    "fleet.change_group",
    "fleet.view_credential",
    "fleet.add_credential",
    "fleet.change_credential",
    "fleet.view_enrolmenttoken",
    "fleet.add_enrolmenttoken",
]


def give_groups(apps: Any, schema_editor: Any) -> None:
    User, Group = apps.get_model("accounts", "User"), apps.get_model("auth", "Group")
    if not User.objects.exists():
        return
    make_action_permissions(apps)
    Group.objects.filter(name="People").delete()
    if not Group.objects.filter(name="Manager").exists():
        Group.objects.filter(name="Setup").update(name="Manager")
    groups = {
        name: grant(apps, Group.objects.get_or_create(name=name)[0], permissions)
        for name, permissions in (("Viewer", VIEWER), ("Operator", OPERATOR), ("Manager", MANAGER))
    }
    people = User.objects.filter(is_active=True, is_superuser=False)
    groups["Manager"].user_set.add(*people.filter(is_staff=True))
    groups["Operator"].user_set.add(*people.filter(is_staff=False).exclude(username=CHECKLIST))
    groups["Viewer"].user_set.add(*people.filter(is_staff=False, username=CHECKLIST))


def make_action_permissions(apps: Any) -> None:
    """Django itself makes them only after all migrations."""
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="accounts", model="action")
    permissions = apps.get_model("auth", "Permission").objects
    for codename, name in apps.get_model("accounts", "Action")._meta.permissions:
        permissions.get_or_create(content_type=kind, codename=codename, defaults={"name": name})


def grant(apps: Any, group: Any, names: list[str]) -> Any:
    for app, codename in (name.split(".") for name in names):
        found = apps.get_model("auth", "Permission").objects.filter(content_type__app_label=app, codename=codename)
        group.permissions.add(*found)
    return group


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_action_permissions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give_groups, migrations.RunPython.noop)]
