"""An acknowledgement has a contract, an alert may be put off, assigned and resolved by hand, and its severity may change."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

SEVERITIES = [("critical", "Critical"), ("warning", "Warning"), ("info", "Info")]
CONTRACTS = [("recovery", "until recovery"), ("time", "until a time"), ("worse", "until it gets worse")]


def give_contracts(apps, schema_editor):
    """Whoever has an alert has taken it until recovery: there was nothing else."""
    apps.get_model("alerts", "Alert").objects.filter(state="acknowledged").update(contract="recovery")


def wake(apps, schema_editor):
    """The release before knows no snooze."""
    apps.get_model("alerts", "Alert").objects.filter(state="snoozed").update(state="open", until=None)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0006_better_defaults"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="may_be_resolved_by_hand",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="For what no report takes back: a person says that it is over, until it comes again.",
                verbose_name="may be resolved by hand",
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="state",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("acknowledged", "Acknowledged"),
                    ("snoozed", "Snoozed"),
                    ("resolved", "Resolved"),
                ],
                default="open",
                max_length=16,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="alert", name="version", field=models.PositiveIntegerField(db_default=1, default=1)
        ),
        migrations.AddField(
            model_name="alert",
            name="changed_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="alert",
            name="contract",
            field=models.CharField(
                blank=True, choices=CONTRACTS, db_default="", default="", max_length=16, verbose_name="contract"
            ),
        ),
        migrations.AddField(
            model_name="alert", name="until", field=models.DateTimeField(null=True, verbose_name="until")
        ),
        migrations.AddField(model_name="alert", name="remind_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="alert",
            name="is_stale",
            field=models.BooleanField(db_default=False, default=False, verbose_name="acknowledged too long"),
        ),
        migrations.AddField(
            model_name="alert",
            name="assigned_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="assigned_alerts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="transition",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("worsened", "Got worse"),
                    ("eased", "Eased"),
                    ("acknowledged", "Acknowledged"),
                    ("changed", "Acknowledgement changed"),
                    ("withdrawn", "Open again: given back"),
                    ("expired", "Open again: the time is up"),
                    ("undone", "Open again: it got worse"),
                    ("snoozed", "Snoozed"),
                    ("assigned", "Assigned"),
                    ("commented", "Comment"),
                    ("reminded", "Reminder: acknowledged too long"),
                    ("resolved", "Resolved"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="transition",
            name="to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="transition",
            name="severity",
            field=models.CharField(blank=True, choices=SEVERITIES, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="transition",
            name="before",
            field=models.CharField(blank=True, choices=SEVERITIES, db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="transition",
            name="contract",
            field=models.CharField(blank=True, choices=CONTRACTS, db_default="", default="", max_length=16),
        ),
        migrations.AddField(model_name="transition", name="until", field=models.DateTimeField(null=True)),
        migrations.RunPython(give_contracts, wake),
    ]
