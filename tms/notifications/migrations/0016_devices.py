import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tms.lib.text_fields
import tms.notifications.models.device


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0015_link_used"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "policy", "is_personal", models.BooleanField(db_default=False, default=False, editable=False)
        ),
        migrations.RemoveConstraint("destination", "destination_name_once"),
        migrations.AddConstraint(
            "destination",
            models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), models.Q(("kind", "push"), _negated=True)),
                fields=("name",),
                name="destination_name_once",
            ),
        ),
        migrations.RemoveConstraint("policy", "policy_name_once"),
        migrations.AddConstraint(
            "policy",
            models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("is_personal", False)),
                fields=("name",),
                name="policy_name_once",
            ),
        ),
        migrations.AddConstraint(
            "policy",
            models.UniqueConstraint(
                condition=models.Q(("is_personal", True)), fields=("is_personal",), name="policy_personal_once"
            ),
        ),
        migrations.CreateModel(
            name="PushKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_key", models.CharField(max_length=100, unique=True)),
                ("encrypted_secrets", models.TextField(editable=False)),
                ("created_at", models.DateTimeField()),
                ("is_current", models.BooleanField(db_default=True, default=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)), fields=("is_current",), name="push_key_one_current"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PushDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", tms.lib.text_fields.LineField(max_length=100, verbose_name="name")),
                ("is_mobile", models.BooleanField(default=False)),
                ("address_digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "destination",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device",
                        to="notifications.destination",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="notifications.pushkey"
                    ),
                ),
            ],
            options={"verbose_name": "device", "verbose_name_plural": "devices"},
        ),
        migrations.CreateModel(
            name="DevicePreferences",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "severities",
                    models.JSONField(
                        blank=True,
                        default=tms.notifications.models.device.default_severities,
                        verbose_name="severities",
                    ),
                ),
                (
                    "area",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=120, verbose_name="part of the fleet"
                    ),
                ),
                (
                    "is_only_on_call",
                    models.BooleanField(db_default=False, default=False, verbose_name="only while on call"),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "preferences for devices",
                "verbose_name_plural": "preferences for devices",
            },
        ),
    ]
