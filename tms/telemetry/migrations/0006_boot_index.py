"""The index of the terminal is covered by the constraint on the terminal and the boot."""

import django.db.models.deletion
from django.db import migrations, models

from tms.lib.db.foreign_key_index import DropForeignKeyIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("telemetry", "0005_undated"),)
    operations = (
        DropForeignKeyIndex(
            "boot",
            "terminal",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="boots",
                to="fleet.terminal",
            ),
        ),
    )
