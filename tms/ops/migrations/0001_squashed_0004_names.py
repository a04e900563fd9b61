"""The tables of a new installation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("ops", "0001_initial"), ("ops", "0002_promise"), ("ops", "0003_loop_success"), ("ops", "0004_names")]

    initial = True

    operations = [
        migrations.CreateModel(
            name="LoopSuccess",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("node", models.CharField(max_length=64)),
                ("succeeded_at", models.DateTimeField()),
                ("limit_s", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="SloSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("indicator", models.CharField(db_column="stage", max_length=16)),
                ("outcome", models.CharField(max_length=8)),
                ("since", models.DateTimeField()),
                ("bound_s", models.FloatField()),
                ("number", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("since", "indicator", "outcome", "bound_s"), name="promise_once")
                ],
                "db_table": "ops_promise",
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("node", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "ops_beat",
            },
        ),
    ]
