"""What refers to the fleet, which itself refers to people."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="accounts.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="accounts.role",
                        verbose_name="role",
                    ),
                ),
                (
                    "region",
                    models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="region"),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="fleet.site",
                        verbose_name="site",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="fleet.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="accounts.identityprovider",
                        verbose_name="identity provider",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("person__isnull", True), ("team__isnull", True), _connector="XOR"),
                        name="grant_one_holder",
                        violation_error_message="Choose a person or a team.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("region", ""), ("site__isnull", True)),
                            models.Q(("region", ""), ("group__isnull", True)),
                            models.Q(("site__isnull", True), ("group__isnull", True)),
                            _connector="OR",
                        ),
                        name="grant_one_scope",
                        violation_error_message="Choose at most one of region, site and group.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mappings",
                        to="accounts.identityprovider",
                        verbose_name="identity provider",
                    ),
                ),
                ("value", models.CharField(max_length=255, verbose_name="group at the provider")),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mappings",
                        to="accounts.role",
                        verbose_name="role",
                    ),
                ),
                (
                    "region",
                    models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="region"),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="site",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="group",
                    ),
                ),
            ],
            options={
                "verbose_name": "group mapping",
                "verbose_name_plural": "group mappings",
                "ordering": ("value", "pk"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("region", ""), ("site__isnull", True)),
                            models.Q(("region", ""), ("group__isnull", True)),
                            models.Q(("site__isnull", True), ("group__isnull", True)),
                            _connector="OR",
                        ),
                        name="mapping_one_scope",
                        violation_error_message="Choose at most one of region, site and group.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WallScreen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("region", models.CharField(blank=True, default="", max_length=100, verbose_name="region")),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="site",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="group",
                    ),
                ),
                ("boards", models.JSONField(default=list, verbose_name="boards")),
                ("every_s", models.PositiveSmallIntegerField(default=15, verbose_name="seconds for each board")),
                ("language", models.CharField(max_length=8, verbose_name="language")),
                (
                    "theme",
                    models.CharField(
                        choices=[("system", "System default"), ("dark", "Dark"), ("light", "Light")],
                        default="dark",
                        max_length=8,
                        verbose_name="theme",
                    ),
                ),
                ("time_zone", models.CharField(blank=True, default="", max_length=64, verbose_name="time zone")),
                ("sounds", models.JSONField(blank=True, default=list, verbose_name="sounds")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("successor", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("predecessor", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("issued_at", models.DateTimeField(editable=False, null=True)),
                ("rotated_at", models.DateTimeField(editable=False, null=True)),
                ("address", models.GenericIPAddressField(editable=False, null=True, verbose_name="address")),
                (
                    "browser",
                    models.CharField(blank=True, default="", editable=False, max_length=200, verbose_name="browser"),
                ),
                ("seen_at", models.DateTimeField(editable=False, null=True, verbose_name="last seen")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created at"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "wall screen",
                "verbose_name_plural": "wall screens",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("region", ""), ("site__isnull", True)),
                            models.Q(("region", ""), ("group__isnull", True)),
                            models.Q(("site__isnull", True), ("group__isnull", True)),
                            _connector="OR",
                        ),
                        name="wall_screen_one_scope",
                        violation_error_message="Choose at most one of region, site and group.",
                    )
                ],
            },
        ),
    ]
