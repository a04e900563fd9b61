import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Command",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="commands", to="fleet.terminal"
                    ),
                ),
                ("name", models.CharField(max_length=64, verbose_name="command")),
                ("args", models.JSONField(blank=True, default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("answer_within_s", models.FloatField(default=30, verbose_name="answer within (seconds)")),
                ("deliver_before", models.DateTimeField(verbose_name="deliver by")),
                ("due_at", models.DateTimeField(null=True)),
                ("session", models.BigIntegerField(default=0)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered at")),
                ("result", models.JSONField(null=True, verbose_name="result")),
                ("error", models.CharField(blank=True, max_length=500, verbose_name="error")),
            ],
            options={
                "verbose_name": "command",
                "verbose_name_plural": "commands",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "sent"))), fields=["due_at"], name="command_due"
                    ),
                    models.Index(fields=["terminal", "-created_at"], name="command_terminal"),
                ],
            },
        ),
    ]
