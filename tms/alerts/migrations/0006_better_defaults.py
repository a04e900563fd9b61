"""The default rules say more with fewer: one on heat, with two steps. What an operator edited, or what has a history, stays."""

from django.db import migrations

HEAT = {
    "severity": "warning",
    "limit": 60,
    "worse_steps": [{"severity": "critical", "limit": 75}],
    "hysteresis": 3,
    "duration_s": 60,
}
HEAT_BEFORE = {"severity": "critical", "limit": 75, "worse_steps": [], "hysteresis": 5, "duration_s": 60}
WARM = {
    "name": "Warm",
    "name_ja": "高温注意",
    "kind": "metric",
    "severity": "warning",
    "metric": "temperature_c",
    "comparison": "above",
    "limit": 60,
    "hysteresis": 3,
    "duration_s": 120,
}
SWITCHED_OFF = (
    {
        "name": "Other firmware",
        "name_ja": "ファームウェア不一致",
        "kind": "firmware",
        "severity": "info",
        "duration_s": 86_400,
        "enabled": False,
    },
    {
        "name": "Wrong clock",
        "name_ja": "時計のずれ",
        "kind": "clock",
        "severity": "warning",
        "limit": 120,
        "hysteresis": 30,
        "duration_s": 600,
        "enabled": False,
    },
)


def improve(apps, schema_editor):
    rules = apps.get_model("alerts", "Rule").objects
    if _untouched(rules, "Warm").exists() and _untouched(rules, "Overheating").exists():
        rules.filter(name="Warm").delete()
        rules.filter(name="Overheating").update(**HEAT)
    for rule in SWITCHED_OFF:
        rules.get_or_create(name=rule["name"], defaults=rule)


def restore(apps, schema_editor):
    """The release before knows neither steps nor these kinds."""
    rules = apps.get_model("alerts", "Rule").objects
    if _untouched(rules, "Overheating").filter(worse_steps=HEAT["worse_steps"]).exists():
        rules.filter(name="Overheating").update(**HEAT_BEFORE)
        rules.get_or_create(name="Warm", defaults=WARM)
    _untouched(rules, *(rule["name"] for rule in SWITCHED_OFF)).delete()


def _untouched(rules, *names):
    return rules.filter(name__in=names, revision=1, version=1, alerts=None)


class Migration(migrations.Migration):
    dependencies = [("alerts", "0005_rule_shapes")]

    operations = [migrations.RunPython(improve, restore)]
