from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0008_bulk_edits"),
    ]

    operations = [
        migrations.AddField(
            model_name="terminal",
            name="features",
            field=models.JSONField(db_default=[], default=list, editable=False, verbose_name="features"),
        ),
        migrations.AddField(
            model_name="terminal",
            name="software",
            field=models.JSONField(db_default={}, default=dict, editable=False, verbose_name="software"),
        ),
    ]
