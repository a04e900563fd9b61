from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0012_report_plans")]

    operations = [
        migrations.AddField(
            model_name="destination",
            name="public_values",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="delivery",
            name="reference",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
