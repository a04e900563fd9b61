"""Address and end of sites. One table a migration: each is locked for a moment only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_keys_of_devices"),
    ]

    operations = [
        migrations.AddField(
            model_name="site",
            name="address",
            field=models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="address"),
        ),
        migrations.AddField(
            model_name="site",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="closed at"),
        ),
        migrations.AlterField(
            model_name="site",
            name="region",
            field=models.CharField(blank=True, db_default="", default="", max_length=100, verbose_name="region"),
        ),
    ]
