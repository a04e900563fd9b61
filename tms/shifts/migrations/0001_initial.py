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
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
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
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="notes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("text", models.TextField(max_length=4000)),
                ("edited_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="note_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                            models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                            models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                            _connector="OR",
                        ),
                        name="note_one_owner",
                        violation_error_message="Choose at most one of region, site and group.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
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
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sign_offs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "verbose_name": "sign-off",
                "verbose_name_plural": "sign-offs",
                "indexes": [models.Index(fields=["until"], name="sign_off_until")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                            models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                            models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                            _connector="OR",
                        ),
                        name="sign_off_one_owner",
                        violation_error_message="Choose at most one of region, site and group.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("since__lt", models.F("until"))), name="sign_off_period"
                    ),
                ],
            },
        ),
    ]
