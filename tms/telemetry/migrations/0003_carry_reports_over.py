"""The reports that 0002 set aside go into the new table, newest first, in small transactions beside a running ingest.

It may be ended and started again at any time. What is sent again meanwhile is kept once: both tables have the same key.
"""

from django.db import migrations, transaction

REPORT, BEFORE = "telemetry_report", "telemetry_report_before"
COLUMNS = "boot_id, seq, terminal_id, at, received_at, late, status, metrics"
CHUNK = 20_000

MOVE = f"""
    WITH moved AS (
        DELETE FROM {BEFORE} WHERE id IN (SELECT id FROM {BEFORE} ORDER BY id DESC LIMIT {CHUNK}) RETURNING {COLUMNS}
    ), kept AS (
        INSERT INTO {REPORT} ({COLUMNS}) SELECT {COLUMNS} FROM moved ON CONFLICT DO NOTHING
    )
    SELECT count(*) FROM moved
"""  # noqa: S608  (names are our own)
COPY = f"INSERT INTO {REPORT} ({COLUMNS}) SELECT {COLUMNS} FROM {BEFORE} WHERE true ON CONFLICT DO NOTHING"  # noqa: S608  (names are our own)


def carry_over(apps, schema_editor):
    connection = schema_editor.connection
    if BEFORE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            while moved(cursor):
                pass
            cursor.execute(f"DROP TABLE {BEFORE}")
            return
        with transaction.atomic(using=connection.alias):
            cursor.execute(COPY)
            cursor.execute(f"DROP TABLE {BEFORE}")


def moved(cursor):
    cursor.execute(MOVE)
    return cursor.fetchone()[0]


class Migration(migrations.Migration):
    atomic = False

    dependencies = (("telemetry", "0002_reports_by_day"),)

    operations = (migrations.RunPython(carry_over, migrations.RunPython.noop),)
