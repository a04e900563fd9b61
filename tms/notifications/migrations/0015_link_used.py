from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0014_repeat")]

    operations = [
        migrations.AddField("delivery", "link_used_at", models.DateTimeField(null=True)),
    ]
