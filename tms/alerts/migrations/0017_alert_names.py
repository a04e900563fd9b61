from django.db import migrations, models

RENAMED = (
    ("incident", "joined", "joined_count", models.PositiveIntegerField(db_column="joined", default=0)),
    ("incident", "left", "resolved_count", models.PositiveIntegerField(db_column="left", default=0)),
    ("incident", "calm_since", "unchanged_since", models.DateTimeField(db_column="calm_since")),
    ("incidenttransition", "standing", "open_count", models.PositiveIntegerField(db_column="standing")),
    (
        "rule",
        "worse_steps",
        "higher_thresholds",
        models.JSONField(blank=True, db_column="worse_steps", db_default=[], default=list),
    ),
)


class Migration(migrations.Migration):
    """New names in the code; every table and column keeps its own, so that the release before goes on working."""

    dependencies = [("alerts", "0016_names")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("FoldRule", "CorrelationRule"),
                migrations.AlterModelTable("CorrelationRule", "alerts_foldrule"),
            ],
        ),
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
