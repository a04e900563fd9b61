"""Rules for configurations that terminals undid, and that differ for long."""

from typing import Any

from django.db import migrations

RULES = (
    {
        "name": "Configuration undone",
        "name_ja": "端末設定の取り消し",
        "kind": "event",
        "severity": "warning",
        "event_code": "tms.configuration_undone",
        "clear_code": "tms.configuration_applied",
    },
    {
        "name": "Configuration differs",
        "name_ja": "端末設定の相違",
        "kind": "configuration",
        "severity": "info",
        "duration_s": 3600,
    },
)


def add_rules(apps: Any, schema_editor: Any) -> None:
    for values in RULES:
        apps.get_model("alerts", "Rule").objects.get_or_create(name=values["name"], defaults=values)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_unexpected_device")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
