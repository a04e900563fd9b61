"""The new tables. They refer to others only at the end, so that nobody waits."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Region",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "name_ja",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="Japanese name"
                    ),
                ),
            ],
            options={
                "verbose_name": "region",
                "verbose_name_plural": "regions",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("serial", models.CharField(blank=True, default="", max_length=64, verbose_name="serial number")),
                ("manufacturer", models.CharField(blank=True, default="", max_length=64, verbose_name="manufacturer")),
                ("model", models.CharField(blank=True, default="", max_length=64, verbose_name="model")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("spare", "Spare"),
                            ("in_service", "In service"),
                            ("in_repair", "In repair"),
                            ("retired", "Retired"),
                            ("lost", "Lost"),
                        ],
                        default="spare",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="note")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="fleet.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
                "ordering": ("serial", "pk"),
            },
        ),
        migrations.CreateModel(
            name="IdentityChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "field",
                    models.CharField(
                        choices=[
                            ("serial", "serial number"),
                            ("model", "model"),
                            ("firmware", "firmware"),
                            ("agent", "agent"),
                            ("site", "site"),
                            ("label", "location"),
                            ("kind", "kind"),
                            ("parent", "connected via"),
                            ("groups", "groups"),
                            ("lifecycle", "state"),
                        ],
                        max_length=16,
                    ),
                ),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                (
                    "source",
                    models.CharField(
                        choices=[("boot", "Terminal"), ("person", "Person"), ("import", "Import")], max_length=16
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identity_changes",
                        to="fleet.terminal",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField(verbose_name="began at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="placements", to="fleet.device"
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="placements", to="fleet.terminal"
                    ),
                ),
            ],
            options={
                "verbose_name": "placement",
                "verbose_name_plural": "placements",
                "ordering": ("-began_at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="UnexpectedDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("serial", models.CharField(max_length=64, verbose_name="serial number")),
                ("model", models.CharField(blank=True, default="", max_length=64, verbose_name="model")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                (
                    "expected_serial",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="expected serial number"),
                ),
                ("first_seen_at", models.DateTimeField(verbose_name="first seen")),
                ("last_seen_at", models.DateTimeField(verbose_name="last seen")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Open"),
                            ("confirmed", "Confirmed"),
                            ("blocked", "Blocked"),
                            ("gone", "The placed device is back"),
                        ],
                        default="",
                        max_length=16,
                        verbose_name="decision",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="fleet.credential"
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "serves_as",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="fleet.terminal"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unexpected_devices",
                        to="fleet.terminal",
                    ),
                ),
            ],
            options={
                "verbose_name": "unexpected device",
                "verbose_name_plural": "unexpected devices",
                "ordering": ("-first_seen_at", "-pk"),
            },
        ),
        migrations.AddConstraint(
            model_name="region",
            constraint=models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="region_named"),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                condition=models.Q(("serial", ""), _negated=True),
                fields=("serial",),
                name="device_serial",
                violation_error_message="Another device has this serial number.",
            ),
        ),
        migrations.AddIndex(
            model_name="identitychange",
            index=models.Index(fields=["terminal", "-at"], name="identitychange_terminal"),
        ),
        migrations.AddIndex(
            model_name="identitychange",
            index=models.Index(fields=["-at"], name="identitychange_at"),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("terminal",), name="placement_open_terminal"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("device",), name="placement_open_device"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"),
                name="placement_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="unexpecteddevice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decision", "")), fields=("terminal", "serial"), name="unexpected_undecided"
            ),
        ),
    ]
