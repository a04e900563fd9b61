import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_rule_hours"),
        ("fleet", "0006_hours_and_parents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Window",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("note", models.CharField(max_length=200)),
                ("time_zone", models.CharField(max_length=64)),
                ("first_on", models.DateField()),
                ("starts_at", models.TimeField()),
                ("length_s", models.PositiveIntegerField()),
                ("rrule", models.CharField(blank=True, max_length=200)),
                ("occurs_at", models.DateTimeField()),
                ("occurs_until", models.DateTimeField()),
                ("over_at", models.DateTimeField(null=True)),
                ("is_on", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="windows",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("groups", models.ManyToManyField(blank=True, related_name="windows", to="fleet.group")),
                ("sites", models.ManyToManyField(blank=True, related_name="windows", to="fleet.site")),
                ("terminals", models.ManyToManyField(blank=True, related_name="windows", to="fleet.terminal")),
            ],
            options={
                "verbose_name": "maintenance window",
                "verbose_name_plural": "maintenance windows",
                "indexes": [
                    models.Index(condition=models.Q(("over_at", None)), fields=["occurs_at"], name="window_standing"),
                    models.Index(
                        condition=models.Q(("over_at__isnull", False)), fields=["-over_at"], name="window_over"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("length_s__gt", 0)), name="window_length"),
                    models.CheckConstraint(
                        condition=models.Q(("occurs_until__gte", models.F("occurs_at"))), name="window_order"
                    ),
                ],
            },
        ),
    ]
