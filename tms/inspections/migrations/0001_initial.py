"""Rounds and inspections, and a rule for devices that look tampered with (PCI DSS 9.5.1)."""

from typing import Any

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tms.inspections.models.inspection

RULE = {
    "name": "Looks tampered",
    "name_ja": "改ざんの疑い",
    "kind": "event",
    "severity": "critical",
    "event_code": "tms.looks_tampered",
    "clear_code": "tms.not_tampered",
    "may_be_resolved_by_hand": True,
}
"""Resolved by hand, too: once the device was taken away, nobody inspects it again."""


def add_rule(apps: Any, schema_editor: Any) -> None:
    apps.get_model("alerts", "Rule").objects.get_or_create(name=RULE["name"], defaults=RULE)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("alerts", "0002_unexpected_device"),
        ("fleet", "0003_fill_devices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Round",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("kinds", models.JSONField(default=list, verbose_name="kinds")),
                ("due_on", models.DateField(verbose_name="due")),
                (
                    "every_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="inspect every (days)",
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="owner: group",
                    ),
                ),
                (
                    "owner_site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="owner: site",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "inspection round",
                "verbose_name_plural": "inspection rounds",
                "ordering": ("-started_at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="Inspection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "expected_serial",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="expected serial number"),
                ),
                ("seen_serial", models.CharField(blank=True, default="", max_length=64, verbose_name="serial number")),
                ("seals", models.JSONField(default=list)),
                ("surroundings", models.JSONField(default=list)),
                ("photo", models.FileField(blank=True, upload_to=tms.inspections.models.inspection.photo_name)),
                ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="note")),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("in_order", "In order"),
                            ("serial_differs", "Serial differs"),
                            ("looks_tampered", "Looks tampered"),
                        ],
                        max_length=16,
                        verbose_name="result",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("key", models.UUIDField(unique=True)),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="alerts.alert"
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
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="inspections",
                        to="fleet.device",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="inspections", to="fleet.terminal"
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="inspections", to="inspections.round"
                    ),
                ),
            ],
            options={
                "verbose_name": "inspection",
                "verbose_name_plural": "inspections",
                "ordering": ("-at", "-pk"),
            },
        ),
        migrations.CreateModel(
            name="RoundMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_on", models.DateField()),
                (
                    "left",
                    models.CharField(
                        blank=True,
                        choices=[("", ""), ("retired", "retired before it was inspected")],
                        default="",
                        max_length=16,
                    ),
                ),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "before",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="inspections.inspection",
                    ),
                ),
                (
                    "current",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="inspections.inspection",
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="inspections.round"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.terminal"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="round",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                    models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                    models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                    _connector="OR",
                ),
                name="round_owner",
                violation_error_message="Choose at most one of region, site and group.",
            ),
        ),
        migrations.AddIndex(
            model_name="inspection",
            index=models.Index(fields=["device", "-at"], name="inspection_device"),
        ),
        migrations.AddIndex(
            model_name="inspection",
            index=models.Index(fields=["terminal", "-at"], name="inspection_terminal"),
        ),
        migrations.AddConstraint(
            model_name="inspection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=("round", "terminal"),
                name="inspection_once",
            ),
        ),
        migrations.AddIndex(
            model_name="roundmember",
            index=models.Index(fields=["round", "due_on"], name="roundmember_due"),
        ),
        migrations.AddConstraint(
            model_name="roundmember",
            constraint=models.UniqueConstraint(fields=("round", "terminal"), name="roundmember_once"),
        ),
        migrations.RunPython(add_rule, migrations.RunPython.noop),
    ]
