from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexWhileServing(AddIndexConcurrently):
    """On PostgreSQL nothing waits for it; on SQLite it is an ordinary index."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        of = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        of.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        of = AddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else migrations.AddIndex
        of.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """The index of the density of a replay."""

    atomic = False
    dependencies = (("fleet", "0012_site_contact"),)
    operations = (AddIndexWhileServing("outage", models.Index(fields=["began_at"], name="outage_began")),)
