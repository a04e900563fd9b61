"""Names in the interface only: the tables keep theirs, so that the previous release can use them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="devicepreferences",
            options={"verbose_name": "preferences for browsers", "verbose_name_plural": "preferences for browsers"},
        ),
        migrations.AlterModelOptions(
            name="pushdevice",
            options={"verbose_name": "browser", "verbose_name_plural": "browsers"},
        ),
    ]
