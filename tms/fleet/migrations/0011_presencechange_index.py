"""The index of the terminal is covered by that of the terminal and the instant."""

import django.db.models.deletion
from django.db import migrations, models

from tms.lib.db.foreign_key_index import DropForeignKeyIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("fleet", "0010_wording"),)
    operations = (
        DropForeignKeyIndex(
            "presencechange",
            "terminal",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="presence_changes",
                to="fleet.terminal",
            ),
        ),
    )
