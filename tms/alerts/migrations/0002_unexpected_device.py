"""A rule for devices that connect as a payment terminal without being placed there (PCI DSS 9.5.1)."""

from typing import Any

from django.db import migrations

RULE = {
    "name": "Unexpected device",
    "name_ja": "想定外の機器",
    "kind": "event",
    "severity": "critical",
    "terminal_kind": "payment",
    "event_code": "tms.unexpected_device",
    "clear_code": "tms.expected_device",
}


def add_rule(apps: Any, schema_editor: Any) -> None:
    apps.get_model("alerts", "Rule").objects.get_or_create(name=RULE["name"], defaults=RULE)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [migrations.RunPython(add_rule, migrations.RunPython.noop)]
