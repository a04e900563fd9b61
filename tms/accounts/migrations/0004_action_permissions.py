"""Only state: the model has no table. `migrate` makes its permissions afterwards."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit_entries")]

    operations = [
        migrations.CreateModel(
            name="Action",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "verbose_name": "action",
                "verbose_name_plural": "actions",
                "permissions": [
                    ("handle_alerts", "Can acknowledge, snooze, assign and resolve alerts and incidents"),
                    ("send_commands", "Can send commands to terminals"),
                    ("send_dangerous_commands", "Can send dangerous commands, such as a reboot"),
                    ("plan_maintenance", "Can plan, extend and end maintenance"),
                    ("write_notes", "Can write notes for the next shift"),
                    ("send_digests", "Can send shift digests"),
                    ("resend_deliveries", "Can send notifications again"),
                    ("override_shifts", "Can override who is on call"),
                    ("edit_rules", "Can change rules and correlation"),
                    ("edit_destinations", "Can change destinations"),
                    ("edit_policies", "Can change notification policies"),
                    ("edit_rotations", "Can change rotations"),
                    ("plan_digests", "Can plan regular shift digests"),
                ],
                "managed": False,
                "default_permissions": (),
            },
        ),
    ]
