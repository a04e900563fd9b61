from django.db import migrations, models

RENAMED = (
    ("delivery", "claim", "lease_id", models.UUIDField(null=True, db_column="claim")),
    ("delivery", "claimed_at", "leased_at", models.DateTimeField(null=True, db_column="claimed_at")),
)


class Migration(migrations.Migration):
    """New names in the code; every table and column keeps its own, so that the release before goes on working."""

    dependencies = [("notifications", "0007_removal")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("delivery", "delivery_sending"),
                *(
                    operation
                    for model, old, new, field in RENAMED
                    for operation in (
                        migrations.RenameField(model, old, new),
                        migrations.AlterField(model, new, field),
                    )
                ),
                migrations.AddIndex(
                    "delivery",
                    models.Index(fields=("leased_at",), name="delivery_sending", condition=models.Q(state="sending")),
                ),
            ],
        ),
    ]
