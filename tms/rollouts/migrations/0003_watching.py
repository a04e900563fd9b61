import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0009_software_of_boots"),
        ("rollouts", "0002_running"),
    ]

    operations = [
        migrations.CreateModel(
            name="Watching",
            fields=[
                (
                    "rollout",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="watching",
                        serialize=False,
                        to="rollouts.rollout",
                    ),
                ),
                ("tallies", models.JSONField(default=dict)),
                ("left_out", models.JSONField(default=dict)),
                ("compared_days", models.JSONField(default=dict)),
                ("watched_from", models.DateTimeField(null=True)),
                ("evaluated_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="EvidencePoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("evidence", models.FloatField()),
                ("measures", models.JSONField(default=dict)),
                (
                    "rollout",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence_points",
                        to="rollouts.rollout",
                    ),
                ),
            ],
            options={
                "ordering": ("at",),
                "indexes": [models.Index(fields=["rollout", "at"], name="evidencepoint_curve")],
            },
        ),
        migrations.CreateModel(
            name="TerminalEffect",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("measure", models.CharField(max_length=32)),
                ("hits", models.PositiveIntegerField(default=0)),
                ("lean", models.FloatField(default=0)),
                (
                    "rollout",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terminal_effects",
                        to="rollouts.rollout",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.terminal"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("rollout", "measure", "terminal"), name="terminaleffect_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TerminalFault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="fleet.terminal",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["terminal", "ended_at"], name="terminalfault_ended"),
                    models.Index(condition=models.Q(("ended_at", None)), fields=["id"], name="terminalfault_open"),
                ],
                "constraints": [models.UniqueConstraint(fields=("terminal", "began_at"), name="terminalfault_once")],
            },
        ),
        migrations.CreateModel(
            name="WatchedSite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("hits", models.JSONField(default=dict)),
                (
                    "rollout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="rollouts.rollout"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.site"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["rollout", "hour"], name="watchedsite_due")],
                "constraints": [models.UniqueConstraint(fields=("rollout", "site"), name="watchedsite_once")],
            },
        ),
    ]
