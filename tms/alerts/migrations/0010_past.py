"""Past alerts are searched and timed: by when they opened, when they were taken first, and what was said."""

from django.db import migrations, models
from django.db.models import Min, OuterRef, Subquery


def find_first(apps, schema_editor):
    """When each was acknowledged first, of what is there already."""
    transitions = apps.get_model("alerts", "Transition").objects.filter(kind="acknowledged", alert=OuterRef("pk"))
    first = transitions.order_by().values("alert").annotate(first=Min("at")).values("first")
    apps.get_model("alerts", "Alert").objects.update(taken_at=Subquery(first))


class Migration(migrations.Migration):
    dependencies = [("alerts", "0009_incidents")]

    operations = [
        # With a default at first: of what is there already nobody need find out, and no row is written for it.
        migrations.AddField(
            "alert", "quiet_at_first", models.CharField(max_length=16, null=True, default="", db_default="")
        ),
        migrations.AlterField("alert", "quiet_at_first", models.CharField(max_length=16, null=True)),
        migrations.AddField("alert", "taken_at", models.DateTimeField(null=True)),
        migrations.RunPython(find_first, migrations.RunPython.noop),
    ]
