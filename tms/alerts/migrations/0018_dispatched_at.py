from django.db import migrations, models

INDEXES = (("transition", "transition_untold"), ("incidenttransition", "incidenttransition_untold"))


class Migration(migrations.Migration):
    """A new name in the code; the column and the indexes keep theirs, so that the release before goes on working."""

    dependencies = [("alerts", "0017_alert_names")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                operation
                for model, index in INDEXES
                for operation in (
                    migrations.RemoveIndex(model, index),
                    migrations.RenameField(model, "told_at", "dispatched_at"),
                    migrations.AlterField(model, "dispatched_at", models.DateTimeField(null=True, db_column="told_at")),
                    migrations.AddIndex(
                        model,
                        models.Index(fields=("id",), name=index, condition=models.Q(dispatched_at__isnull=True)),
                    ),
                )
            ],
        ),
    ]
