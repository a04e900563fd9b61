from django.db import migrations, models

from tms.lib.db import natural_order


class Migration(migrations.Migration):
    """Lists of terminals in natural order."""

    dependencies = [("fleet", "0008_names")]

    operations = [
        natural_order.create(),
        migrations.AddIndex("terminal", models.Index(natural_order.natural("uid"), name="terminal_natural_uid")),
    ]
