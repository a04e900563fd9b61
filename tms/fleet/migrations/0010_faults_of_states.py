from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0009_software_of_boots"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="terminalstate",
            index=models.Index(condition=models.Q(("status", "fault")), fields=["status_at"], name="state_fault"),
        ),
    ]
