from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("commands", "0005_outcomes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="command",
            index=models.Index(fields=["name", "-created_at"], name="command_name"),
        ),
    ]
