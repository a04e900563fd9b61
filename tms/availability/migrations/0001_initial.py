import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SiteDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="fleet.site",
                    ),
                ),
                ("day", models.DateField()),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("hours", models.JSONField(default=list)),
                ("rolled_up_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="siteday_day")],
                "constraints": [models.UniqueConstraint(fields=("site", "day"), name="siteday_once")],
            },
        ),
        migrations.CreateModel(
            name="PendingOutage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site_day",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pending", to="availability.siteday"
                    ),
                ),
                (
                    "outage",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="fleet.outage",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TerminalDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("counted_s", models.PositiveIntegerField()),
                ("excluded_s", models.PositiveIntegerField(default=0)),
                ("network_s", models.PositiveIntegerField(default=0)),
                ("power_s", models.PositiveIntegerField(default=0)),
                ("switched_off_s", models.PositiveIntegerField(default=0)),
                ("device_s", models.PositiveIntegerField(default=0)),
                ("application_s", models.PositiveIntegerField(default=0)),
                ("restart_s", models.PositiveIntegerField(default=0)),
                ("server_s", models.PositiveIntegerField(default=0)),
                ("unclear_s", models.PositiveIntegerField(default=0)),
                (
                    "site_day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terminals",
                        to="availability.siteday",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="days",
                        to="fleet.terminal",
                    ),
                ),
                ("since", models.BigIntegerField(null=True)),
                ("until", models.BigIntegerField(null=True)),
                ("excluded", models.JSONField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["terminal", "day"], name="terminalday_terminal")],
                "constraints": [models.UniqueConstraint(fields=("site_day", "terminal"), name="terminalday_once")],
            },
        ),
        migrations.CreateModel(
            name="KindDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("counted_s", models.PositiveIntegerField()),
                ("excluded_s", models.PositiveIntegerField(default=0)),
                ("network_s", models.PositiveIntegerField(default=0)),
                ("power_s", models.PositiveIntegerField(default=0)),
                ("switched_off_s", models.PositiveIntegerField(default=0)),
                ("device_s", models.PositiveIntegerField(default=0)),
                ("application_s", models.PositiveIntegerField(default=0)),
                ("restart_s", models.PositiveIntegerField(default=0)),
                ("server_s", models.PositiveIntegerField(default=0)),
                ("unclear_s", models.PositiveIntegerField(default=0)),
                (
                    "site_day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kinds",
                        to="availability.siteday",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="fleet.site",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment", "Payment terminal"),
                            ("kiosk", "Kiosk"),
                            ("gate", "Ticket gate"),
                            ("signage", "Signage player"),
                            ("tablet", "Tablet"),
                            ("computer", "Computer"),
                        ],
                        max_length=16,
                    ),
                ),
                ("model", models.CharField(blank=True, max_length=64)),
                ("terminals", models.PositiveIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["day", "site"], name="kindday_day")],
                "constraints": [models.UniqueConstraint(fields=("site_day", "kind", "model"), name="kindday_once")],
            },
        ),
        migrations.CreateModel(
            name="AvailabilityTarget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="availability_target", to="fleet.site"
                    ),
                ),
                (
                    "percent",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="target",
                    ),
                ),
            ],
            options={
                "verbose_name": "availability target",
                "verbose_name_plural": "availability targets",
            },
        ),
    ]
