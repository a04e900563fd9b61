from functools import cache

from django.apps.registry import Apps
from django.db.migrations.loader import MigrationLoader


@cache
def before_renames() -> Apps:
    """Models with the field names that the data migrations of the default rules use."""
    return MigrationLoader(None, replace_migrations=False).project_state(("alerts", "0015_rule_hours_default")).apps
