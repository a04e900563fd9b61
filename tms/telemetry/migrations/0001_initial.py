"""Readings and events. PostgreSQL partitions reports by day, and roll-ups by month."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tms.telemetry.storage.operations import CreatePartitionedModel

REPORT, ROLLUP = "telemetry_report", "telemetry_rollup"
DAYS_BACK, DAYS_AHEAD = 14, 3


def create_partitions(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Those of the first days and months; the clock creates the later ones."""
    if schema_editor.connection.vendor != "postgresql":
        return
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for sql in (
        *partitions(REPORT, (today + timedelta(days=ahead) for ahead in range(-DAYS_BACK, DAYS_AHEAD + 2))),
        *partitions(ROLLUP, (month(today, ahead) for ahead in range(3))),
    ):
        schema_editor.execute(sql)


def partitions(table: str, bounds: Iterable[datetime]) -> Iterable[str]:
    for start, end in pairwise(bounds):
        yield f"CREATE TABLE {table}_{start:%Y%m%d} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')"


def month(at: datetime, ahead: int) -> datetime:
    years, months = divmod(at.month - 1 + ahead, 12)
    return datetime(at.year + years, months + 1, 1, tzinfo=UTC)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Boot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="boots",
                        to="fleet.terminal",
                    ),
                ),
                ("boot_id", models.CharField(max_length=64)),
                ("first_seen_at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("terminal", "boot_id"), name="boot_once")],
            },
        ),
        CreatePartitionedModel(
            name="Report",
            column="at",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "boot_id", "seq", "at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "boot",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="reports",
                        to="telemetry.boot",
                    ),
                ),
                ("seq", models.BigIntegerField()),
                (
                    "terminal",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="fleet.terminal",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("late", models.BooleanField(default=False)),
                ("undated", models.BooleanField(db_default=False, default=False)),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        choices=[("ok", "OK"), ("degraded", "Degraded"), ("fault", "Fault")],
                        default="",
                        max_length=16,
                    ),
                ),
                ("metrics", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["terminal", "at"], name="report_terminal_at")],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="fleet.terminal",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("code", models.CharField(max_length=64)),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        default="info",
                        max_length=16,
                    ),
                ),
                ("text", models.CharField(blank=True, max_length=500)),
                ("late", models.BooleanField(default=False)),
                ("undated", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["terminal", "-at"], name="event_terminal")],
            },
        ),
        CreatePartitionedModel(
            name="Rollup",
            column="hour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "terminal_id", "hour", "metric", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                ("hour", models.DateTimeField()),
                ("metric", models.CharField(max_length=64)),
                ("count", models.PositiveIntegerField()),
                ("total", models.FloatField()),
                ("lowest", models.FloatField()),
                ("highest", models.FloatField()),
                ("last", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="RollupMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("terminal_pk", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="LateHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "terminal_id", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                ("hour", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(create_partitions, migrations.RunPython.noop),
    ]
