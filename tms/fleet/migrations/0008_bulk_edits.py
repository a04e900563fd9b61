from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0007_saved_views"),
    ]

    operations = [
        migrations.AlterField(
            model_name="identitychange",
            name="source",
            field=models.CharField(
                choices=[
                    ("boot", "Terminal"),
                    ("person", "Person"),
                    ("import", "Import"),
                    ("edit", "Bulk edit"),
                    ("query", "Query"),
                ],
                max_length=16,
            ),
        ),
    ]
