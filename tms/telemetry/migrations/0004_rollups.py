from datetime import UTC, datetime

import django.db.models.deletion
from django.db import migrations, models

from tms.telemetry.storage.operations import CreatePartitionedModel

ROLLUP = "telemetry_rollup"


def make_months(apps, schema_editor):
    """This one and the next; the clock goes on from there."""
    if schema_editor.connection.vendor != "postgresql":
        return
    now = datetime.now(UTC)
    for start in (month(now, 0), month(now, 1)):
        schema_editor.execute(
            f"CREATE TABLE {ROLLUP}_{start:%Y%m%d} PARTITION OF {ROLLUP} FOR VALUES FROM ('{start}') TO ('{month(start, 1)}')"
        )


def month(at, ahead):
    years, months = divmod(at.month - 1 + ahead, 12)
    return datetime(at.year + years, months + 1, 1, tzinfo=UTC)


class Migration(migrations.Migration):
    dependencies = (("telemetry", "0003_carry_reports_over"), ("fleet", "0001_initial"))

    operations = (
        CreatePartitionedModel(
            name="Rollup",
            column="hour",
            fields=(
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "terminal_id", "hour", "metric", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("metric", models.CharField(max_length=64)),
                ("count", models.PositiveIntegerField()),
                ("total", models.FloatField()),
                ("lowest", models.FloatField()),
                ("highest", models.FloatField()),
                ("last", models.FloatField()),
                (
                    "terminal",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rollups",
                        to="fleet.terminal",
                    ),
                ),
            ),
        ),
        migrations.RunPython(make_months, migrations.RunPython.noop),
        migrations.CreateModel(
            name="RollupMark",
            fields=(
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("terminal_pk", models.BigIntegerField(default=0)),
            ),
        ),
        migrations.CreateModel(
            name="LateHour",
            fields=(
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "terminal_id", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField()),
                (
                    "terminal",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="fleet.terminal",
                    ),
                ),
            ),
        ),
    )
