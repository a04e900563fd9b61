"""The rules that the migrations add."""

from importlib import import_module

from django.apps import apps


def add_default_rules() -> None:
    """The rules of the migrations, also after a test with real transactions emptied every table."""
    import_module("tms.alerts.migrations.0001_initial").add_default_rules(apps, None)
    import_module("tms.alerts.migrations.0003_configuration_rules").add_rules(apps, None)
    import_module("tms.alerts.migrations.0002_unexpected_device").add_rule(apps, None)
    import_module("tms.inspections.migrations.0001_initial").add_rule(apps, None)
