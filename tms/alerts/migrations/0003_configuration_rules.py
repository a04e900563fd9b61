"""A rule for configurations that terminals undid.

None of the kind *Configuration differs*: the previous release, which may still serve terminals, does not know it.
"""

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
)


def add_rules(apps: Any, schema_editor: Any) -> None:
    for values in RULES:
        apps.get_model("alerts", "Rule").objects.get_or_create(name=values["name"], defaults=values)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_unexpected_device")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
