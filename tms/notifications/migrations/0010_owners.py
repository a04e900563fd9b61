"""Destinations, policies and rotations may belong to a region, a site or a group."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0021_is_failing"),
        ("fleet", "0010_wording"),
        ("notifications", "0009_wording"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="destination",
            name="owner_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.group",
                verbose_name="owner: group",
            ),
        ),
        migrations.AddField(
            model_name="destination",
            name="owner_region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"),
        ),
        migrations.AddField(
            model_name="destination",
            name="owner_site",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.site",
                verbose_name="owner: site",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="owner_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.group",
                verbose_name="owner: group",
            ),
        ),
        migrations.AddField(
            model_name="policy",
            name="owner_region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"),
        ),
        migrations.AddField(
            model_name="policy",
            name="owner_site",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.site",
                verbose_name="owner: site",
            ),
        ),
        migrations.AddField(
            model_name="rotation",
            name="owner_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.group",
                verbose_name="owner: group",
            ),
        ),
        migrations.AddField(
            model_name="rotation",
            name="owner_region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"),
        ),
        migrations.AddField(
            model_name="rotation",
            name="owner_site",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.site",
                verbose_name="owner: site",
            ),
        ),
        migrations.AddConstraint(
            model_name="destination",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                    models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                    models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                    _connector="OR",
                ),
                name="destination_one_owner",
                violation_error_message="Choose at most one of region, site and group.",
            ),
        ),
        migrations.AddConstraint(
            model_name="policy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                    models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                    models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                    _connector="OR",
                ),
                name="policy_one_owner",
                violation_error_message="Choose at most one of region, site and group.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                    models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                    models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                    _connector="OR",
                ),
                name="rotation_one_owner",
                violation_error_message="Choose at most one of region, site and group.",
            ),
        ),
    ]
