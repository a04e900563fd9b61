"""The log of Django's admin no longer refers to people.

Release 1.0.0 had the admin, and still serves during a rollout, so its table stays. The admin is not installed any more:
nothing would delete the entries of a deleted account before the account, and the database would refuse to delete it.
"""

from typing import Any

from django.db import migrations

LOG = "django_admin_log"


def unlink(apps: Any, schema_editor: Any) -> None:
    """Nothing in a database that 1.0.0 never used. SQLite cannot drop a constraint; the entries go instead."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        if LOG not in connection.introspection.table_names(cursor):
            return
        constraints = connection.introspection.get_constraints(cursor, LOG)
    if connection.vendor == "sqlite":
        schema_editor.execute("DELETE FROM django_admin_log")
        return
    for name, constraint in constraints.items():
        if constraint["foreign_key"]:
            schema_editor.execute(f"ALTER TABLE {LOG} DROP CONSTRAINT {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_region_of_screens")]

    operations = [migrations.RunPython(unlink, migrations.RunPython.noop)]
