from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("commands", "0002_catalogue")]

    operations = [
        migrations.AddField(
            model_name="commanddefinition",
            name="arguments_text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
