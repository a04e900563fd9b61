"""Rules that are right for most fleets, so that a new TMS watches from its first minute. Change them in the admin."""

from django.db import migrations

DEFAULT_RULES = (
    {
        "name": "Offline",
        "name_ja": "オフライン",
        "kind": "presence",
        "severity": "critical",
        "presence": "offline",
        "duration_s": 60,
    },
    {
        "name": "Overheating",
        "name_ja": "過熱",
        "kind": "metric",
        "severity": "critical",
        "metric": "temperature_c",
        "comparison": "above",
        "limit": 75,
        "hysteresis": 5,
        "duration_s": 60,
    },
    {
        "name": "Warm",
        "name_ja": "高温注意",
        "kind": "metric",
        "severity": "warning",
        "metric": "temperature_c",
        "comparison": "above",
        "limit": 60,
        "hysteresis": 3,
        "duration_s": 120,
    },
    {
        "name": "Paper low",
        "name_ja": "用紙残りわずか",
        "kind": "metric",
        "severity": "warning",
        "metric": "paper_pct",
        "comparison": "below",
        "limit": 10,
        "hysteresis": 5,
    },
    {
        "name": "Disk full",
        "name_ja": "ディスク容量不足",
        "kind": "metric",
        "severity": "warning",
        "metric": "disk_pct",
        "comparison": "above",
        "limit": 90,
        "hysteresis": 3,
    },
    {
        "name": "Reader fault",
        "name_ja": "カードリーダー障害",
        "kind": "event",
        "severity": "critical",
        "event_code": "card_reader_fault",
        "clear_code": "card_reader_ok",
    },
    {
        "name": "Duplicate credential",
        "name_ja": "認証情報の重複使用",
        "kind": "event",
        "severity": "critical",
        "event_code": "tms.duplicate_credential",
        "clear_after_s": 900,
    },
)


def add(apps, schema_editor):
    rules = apps.get_model("alerts", "Rule").objects
    for rule in DEFAULT_RULES:
        rules.get_or_create(name=rule["name"], defaults=rule)


def remove(apps, schema_editor):
    """What was edited or has alerts is the operator's own, and stays."""
    names = [rule["name"] for rule in DEFAULT_RULES]
    apps.get_model("alerts", "Rule").objects.filter(name__in=names, revision=1, alerts=None).delete()


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [migrations.RunPython(add, remove)]
