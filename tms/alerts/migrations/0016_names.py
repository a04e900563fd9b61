from django.db import migrations, models

RENAMED = (("alert", "taken_at", "first_acknowledged_at", models.DateTimeField(null=True, db_column="taken_at")),)


class Migration(migrations.Migration):
    """New names in the code; every column keeps its own, so that the release before goes on working."""

    dependencies = [("alerts", "0015_rule_hours_default")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                operation
                for model, old, new, field in RENAMED
                for operation in (
                    migrations.RenameField(model, old, new),
                    migrations.AlterField(model, new, field),
                )
            ],
        ),
    ]
