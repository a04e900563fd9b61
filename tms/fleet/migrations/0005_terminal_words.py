"""What the boards search, in one column, with an index for any part of it where PostgreSQL can have one."""

import warnings
from itertools import chain

from django.db import (
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    migrations,
    models,
    transaction,
)
from django.db.models.functions import Cast, Concat, Upper

SEARCHED = ("uid", "label", "serial", "model", "address")
INDEX = "INDEX {} terminal_words ON fleet_terminal USING gin (words gin_trgm_ops)"
WITHOUT_INDEX = (
    "PostgreSQL lets this role have no extension pg_trgm: a search reads every terminal. Ask an administrator of the"
    f" database to run CREATE EXTENSION pg_trgm, then run CREATE {INDEX.format('CONCURRENTLY')}"
)


def add_index(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(f"CREATE {INDEX.format('')}")
    except (ProgrammingError, NotSupportedError, OperationalError, InternalError) as error:
        warnings.warn(f"{WITHOUT_INDEX} ({str(error).strip()})", stacklevel=1)


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS terminal_words")


class Migration(migrations.Migration):
    dependencies = [("fleet", "0004_outages")]

    operations = [
        migrations.AddField(
            "terminal",
            "words",
            models.GeneratedField(
                expression=Upper(
                    Concat(
                        *chain.from_iterable(
                            (Cast(name, models.TextField()), models.Value("\n", models.TextField()))
                            for name in SEARCHED
                        )
                    )
                ),
                output_field=models.TextField(),
                db_persist=True,
            ),
        ),
        migrations.RunPython(add_index, drop_index),
    ]
