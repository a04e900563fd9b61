"""Somebody takes a look, before anybody acknowledges."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0012_flapping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="claimed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="claimed_alerts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="claimed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="transition",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("worsened", "Got worse"),
                    ("eased", "Eased"),
                    ("claimed", "Claimed: takes a look"),
                    ("released", "Claim ended"),
                    ("acknowledged", "Acknowledged"),
                    ("changed", "Acknowledgement changed"),
                    ("withdrawn", "Open again: given back"),
                    ("expired", "Open again: the time is up"),
                    ("undone", "Open again: it got worse"),
                    ("snoozed", "Snoozed"),
                    ("assigned", "Assigned"),
                    ("commented", "Comment"),
                    ("reminded", "Reminder: acknowledged too long"),
                    ("flapping", "Began to flap"),
                    ("calm", "Calm again"),
                    ("resolved", "Resolved"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("claimed_until__isnull", False)), fields=["claimed_until"], name="alert_claimed"
            ),
        ),
    ]
