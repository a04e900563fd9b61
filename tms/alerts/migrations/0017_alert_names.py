from django.db import migrations, models

RENAMED = (
    ("alert", "quiet_at_first", "suppressed_at_open", models.CharField(max_length=16, null=True)),
    ("flapping", "calm_at", "stable_at", models.DateTimeField()),
    ("incident", "joined", "joined_count", models.PositiveIntegerField(default=0)),
    ("incident", "left", "resolved_count", models.PositiveIntegerField(default=0)),
    ("incident", "calm_since", "unchanged_since", models.DateTimeField()),
    ("incidenttransition", "standing", "open_count", models.PositiveIntegerField()),
    ("rule", "worse_steps", "higher_thresholds", models.JSONField(blank=True, db_default=[], default=list)),
    ("window", "over_at", "ended_at", models.DateTimeField(null=True)),
    ("window", "is_on", "is_active", models.BooleanField(default=False)),
)
INDEXES = (
    ("alert", models.Index(fields=("id",), name="alert_unlooked", condition=models.Q(suppressed_at_open=None))),
    (
        "flapping",
        models.Index(fields=("stable_at",), name="flapping_calm", condition=models.Q(ended_at__isnull=True)),
    ),
    ("window", models.Index(fields=("occurs_at",), name="window_standing", condition=models.Q(ended_at=None))),
    ("window", models.Index(fields=("-ended_at",), name="window_over", condition=models.Q(ended_at__isnull=False))),
)
"""As they are; their definitions name fields."""


def renamed(model, old, new, field):
    field.db_column = old
    return migrations.RenameField(model, old, new), migrations.AlterField(model, new, field)


class Migration(migrations.Migration):
    """New names in the code; every table and column keeps its own, so that the release before goes on working."""

    dependencies = [("alerts", "0016_names")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("FoldRule", "CorrelationRule"),
                migrations.AlterModelTable("CorrelationRule", "alerts_foldrule"),
                *(migrations.RemoveIndex(model, index.name) for model, index in INDEXES),
                *(operation for row in RENAMED for operation in renamed(*row)),
                *(migrations.AddIndex(model, index) for model, index in INDEXES),
            ],
        ),
    ]
