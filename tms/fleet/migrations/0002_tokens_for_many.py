"""Enrolment tokens for many terminals. One table a migration: each is locked for a moment only."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_columns_of_sites"),
    ]

    operations = [
        migrations.AddField(
            model_name="enrolmenttoken",
            name="kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("payment", "Payment terminal"),
                    ("kiosk", "Kiosk"),
                    ("gate", "Ticket gate"),
                    ("signage", "Signage player"),
                    ("tablet", "Tablet"),
                    ("computer", "Computer"),
                ],
                db_default="",
                default="",
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="name"),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="region"),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="serials",
            field=models.JSONField(
                blank=True, db_default=models.Value([], models.JSONField()), default=list, verbose_name="serial numbers"
            ),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="uses",
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="uses"),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="uses_left",
            field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="uses left"),
        ),
        migrations.AddField(
            model_name="enrolmenttoken",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at"),
        ),
        migrations.AlterField(
            model_name="enrolmenttoken",
            name="site",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="enrolment_tokens",
                to="fleet.site",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolmenttoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("region", ""), ("site__isnull", False)),
                    models.Q(("site", None), models.Q(("region", ""), _negated=True)),
                    _connector="OR",
                ),
                name="enrolmenttoken_place",
            ),
        ),
    ]
