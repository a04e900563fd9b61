"""Migration operations for partitioned tables of PostgreSQL."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class CreatePartitionedModel(migrations.CreateModel):
    """A `CreateModel` that partitions the table on PostgreSQL by ranges of `column`, with a default partition."""

    def __init__(self, name: str, fields: Any, *, column: str, **rest: Any) -> None:
        super().__init__(name, fields, **rest)
        self.column = column

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        sql, params = schema_editor.table_sql(model)
        schema_editor.execute(f"{sql} PARTITION BY RANGE ({self.column})", params or None)
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)
        schema_editor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
