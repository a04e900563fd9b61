from django.db import migrations, models


class Migration(migrations.Migration):
    """Changes a table that the application writes constantly, so that this release cannot insert: no default stays."""

    dependencies = (("telemetry", "0001_initial"),)

    operations = (migrations.AddField("report", "note", models.CharField(default="", max_length=100)),)
