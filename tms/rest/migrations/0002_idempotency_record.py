from django.db import migrations


class Migration(migrations.Migration):
    """A new name for the class; the table keeps its own."""

    dependencies = [("rest", "0001_kept_answers")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("KeptAnswer", "IdempotencyRecord"),
                migrations.AlterModelTable("IdempotencyRecord", "rest_keptanswer"),
            ],
        ),
    ]
