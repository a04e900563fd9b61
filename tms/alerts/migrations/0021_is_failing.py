from django.db import migrations, models


class Migration(migrations.Migration):
    """The field of a flapping alert is called `is_failing`; its column keeps its name."""

    dependencies = [("alerts", "0020_rule_kinds")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("flapping", "is_wrong", "is_failing"),
                migrations.AlterField(
                    "flapping", "is_failing", models.BooleanField(db_column="is_wrong", default=True)
                ),
            ]
        )
    ]
