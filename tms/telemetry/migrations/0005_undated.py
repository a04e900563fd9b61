"""Mark reports and events that are stored with their time of arrival.

Plain SQL, because Django would copy the whole table on SQLite. A constant default changes no row on either database.
"""

from django.db import migrations, models

TABLES = ("telemetry_report", "telemetry_event")


class Migration(migrations.Migration):
    dependencies = (("telemetry", "0004_rollups"),)

    operations = (
        migrations.SeparateDatabaseAndState(
            state_operations=tuple(
                migrations.AddField(model, "undated", models.BooleanField(db_default=False, default=False))
                for model in ("report", "event")
            ),
            database_operations=tuple(
                migrations.RunSQL(
                    f"ALTER TABLE {table} ADD COLUMN undated boolean DEFAULT false NOT NULL",
                    f"ALTER TABLE {table} DROP COLUMN undated",
                )
                for table in TABLES
            ),
        ),
    )
