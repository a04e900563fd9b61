"""The order of versions, and an index in it."""

from django.db import migrations, models

from tms.lib.db import version_order


class Migration(migrations.Migration):
    dependencies = [("fleet", "0003_fill_devices")]

    operations = [
        version_order.create(),
        migrations.AddIndex(
            model_name="terminal",
            index=models.Index(version_order.VersionKey("firmware"), name="terminal_firmware_order"),
        ),
    ]
