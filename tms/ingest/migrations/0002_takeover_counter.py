from django.db import migrations


class Migration(migrations.Migration):
    """A new name for the class; the table keeps its own."""

    dependencies = [("ingest", "0001_struggles")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Struggle", "TakeoverCounter"),
                migrations.AlterModelTable("TakeoverCounter", "ingest_struggle"),
            ],
        ),
    ]
