from django.db import migrations, models


class Migration(migrations.Migration):
    """New names in the code; tables and columns keep their own, so that the release before goes on working."""

    dependencies = [("ops", "0003_loop_success")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Promise", "SloSample"),
                migrations.AlterModelTable("SloSample", "ops_promise"),
                migrations.RemoveConstraint("SloSample", "promise_once"),
                migrations.RenameField("SloSample", "stage", "indicator"),
                migrations.AlterField("SloSample", "indicator", models.CharField(max_length=16, db_column="stage")),
                migrations.AddConstraint(
                    "SloSample",
                    models.UniqueConstraint(fields=("since", "indicator", "outcome", "bound_s"), name="promise_once"),
                ),
                migrations.RenameModel("Beat", "Heartbeat"),
                migrations.AlterModelTable("Heartbeat", "ops_beat"),
            ],
        ),
    ]
