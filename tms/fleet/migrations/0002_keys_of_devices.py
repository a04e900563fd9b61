"""Keys belong to devices. One table a migration: each is locked for a moment only."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_devices"),
    ]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="used_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last used"),
        ),
        migrations.AddField(
            model_name="credential",
            name="device",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credentials",
                to="fleet.device",
            ),
        ),
    ]
