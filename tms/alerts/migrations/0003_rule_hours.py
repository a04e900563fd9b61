"""Rules may count only while a site is open; that terminals are offline, as it ships, does so from now on."""

from django.db import migrations, models


def bind(apps, schema_editor):
    """What was edited is the operator's own, and stays. A site that tells no hours is always open."""
    apps.get_model("alerts", "Rule").objects.filter(name="Offline", revision=1).update(hours="open")


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_default_rules")]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="hours",
            field=models.CharField(
                choices=[("always", "always"), ("open", "while the site is open")],
                default="always",
                help_text="Whatever holds while a site is closed opens its alert when the site opens, if it still holds.",
                max_length=8,
                verbose_name="counts",
            ),
        ),
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
