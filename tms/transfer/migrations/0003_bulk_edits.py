from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("transfer", "0002_absent_and_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="edit",
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name="BulkEdit",
            fields=[],
            options={
                "verbose_name": "bulk edit",
                "verbose_name_plural": "bulk edits",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("transfer.import",),
        ),
    ]
