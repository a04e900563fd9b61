from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def grant_by_new_name(apps: Any, schema_editor: Any) -> None:
    """Whoever has a permission by the old name gets it by the new one; the release before goes on using the old one."""
    permissions = apps.get_model("auth", "Permission").objects
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="fleet", model="specialday")
    for old in permissions.filter(content_type__app_label="fleet", content_type__model="ownday"):
        new, _ = permissions.get_or_create(
            content_type=kind,
            codename=old.codename.replace("ownday", "specialday"),
            defaults={"name": old.name},
        )
        new.group_set.add(*old.group_set.all())
        new.user_set.add(*old.user_set.all())


class Migration(migrations.Migration):
    """New names in the code; tables and columns keep their own, so that the release before goes on working."""

    dependencies = [
        ("fleet", "0007_site_column_defaults"),
        ("accounts", "0005_groups"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("OwnDay", "SpecialDay"),
                migrations.AlterModelTable("SpecialDay", "fleet_ownday"),
                migrations.AlterField(
                    "SpecialDay",
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="special_days", to="fleet.site"
                    ),
                ),
                migrations.RenameField("Node", "beat_at", "heartbeat_at"),
                migrations.RenameField("Node", "loss_at", "dropped_at"),
                migrations.RenameField("Node", "lost_links", "dropped_links"),
                migrations.AlterField("Node", "heartbeat_at", models.DateTimeField("last beat", db_column="beat_at")),
                migrations.AlterField(
                    "Node",
                    "dropped_at",
                    models.DateTimeField("last lost links at", null=True, db_column="loss_at"),
                ),
                migrations.AlterField(
                    "Node",
                    "dropped_links",
                    models.PositiveIntegerField("links lost then", default=0, db_column="lost_links"),
                ),
            ],
        ),
        migrations.RunPython(grant_by_new_name, migrations.RunPython.noop),
    ]
