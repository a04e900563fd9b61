"""Migration operation for a foreign key whose index is covered by a longer one."""

from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class DropForeignKeyIndex(migrations.AlterField):
    """Like `AlterField` to `db_index=False`. On PostgreSQL nothing waits for it; the migration must not be atomic."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        concurrently = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
        for name in _indexes_of(schema_editor, model._meta.db_table, column):
            schema_editor.execute(f"DROP INDEX {concurrently}IF EXISTS {schema_editor.quote_name(name)}")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        options = {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
        create: Any = schema_editor._create_index_sql  # type: ignore[attr-defined]  # as Django's own operations
        schema_editor.execute(create(model, fields=[model._meta.get_field(self.name)], **options))


def _indexes_of(schema_editor: BaseDatabaseSchemaEditor, table: str, column: str) -> Iterator[str]:
    """The indexes of this column alone, without those of constraints."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, index in found.items():
        if index["index"] and index["columns"] == [column] and not (index["unique"] or index["primary_key"]):
            yield name
