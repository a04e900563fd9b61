import django.db.models.deletion
from django.db import migrations, models

PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0025_sites_together"),
        ("fleet", "0012_site_contact"),
    ]

    operations = [
        migrations.AlterField(
            model_name="incident",
            name="site",
            field=models.ForeignKey(null=True, on_delete=PROTECT, related_name="incidents", to="fleet.site"),
        ),
        migrations.AlterField(
            model_name="rule",
            name="group",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=PROTECT, to="fleet.group", verbose_name="scope: group"
            ),
        ),
        migrations.AlterField(
            model_name="rule",
            name="site",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=PROTECT, to="fleet.site", verbose_name="scope: site"
            ),
        ),
    ]
