"""Notes may belong to a region, a site or a group."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0010_wording"),
        ("shifts", "0001_notes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="note",
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
            model_name="note",
            name="owner_region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"),
        ),
        migrations.AddField(
            model_name="note",
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
            model_name="note",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                    models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                    models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                    _connector="OR",
                ),
                name="note_one_owner",
                violation_error_message="Choose at most one of region, site and group.",
            ),
        ),
    ]
