"""Incidents keep the name of their group. The previous release opens incidents without it."""

from typing import Any

from django.db import migrations, models


def fill(apps: Any, _: Any) -> None:
    Incident, Group = apps.get_model("alerts", "Incident"), apps.get_model("fleet", "Group")
    name = Group.objects.filter(pk=models.OuterRef("group")).values("name")
    Incident.objects.exclude(group=None).update(group_name=models.Subquery(name))


class Migration(migrations.Migration):
    dependencies = [("alerts", "0028_incidents_in_bulk"), ("fleet", "0013_outage_began")]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="group_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
