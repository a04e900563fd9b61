from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("commands", "0006_by_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="command",
            name="progress_pct",
            field=models.FloatField(null=True, verbose_name="progress (%)"),
        ),
        migrations.AddField(
            model_name="command",
            name="progress_text",
            field=models.CharField(blank=True, db_default="", max_length=500, verbose_name="progress"),
        ),
    ]
