import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_usernames_of_any_case"),
    ]

    operations = [
        migrations.AlterField(
            model_name="groupmapping",
            name="role",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mappings",
                to="accounts.role",
                verbose_name="role",
            ),
        ),
    ]
