"""A person's columns of the list of terminals."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_unlink_admin_log")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="terminal_columns",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=1_500,
                verbose_name="columns of the list of terminals",
            ),
        )
    ]
