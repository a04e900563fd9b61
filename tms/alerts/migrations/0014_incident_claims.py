"""Somebody takes a look at an incident, before anybody acknowledges."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0013_claims"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="claimed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="claimed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="incidenttransition",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("joined", "More alerts"),
                    ("left", "Recovered"),
                    ("worsened", "Got worse"),
                    ("eased", "Eased"),
                    ("claimed", "Claimed: takes a look"),
                    ("released", "Claim ended"),
                    ("acknowledged", "Acknowledged"),
                    ("changed", "Acknowledgement changed"),
                    ("withdrawn", "Open again: given back"),
                    ("expired", "Open again: the time is up"),
                    ("undone", "Open again: it got worse"),
                    ("commented", "Comment"),
                    ("dissolved", "Over: the rest stand alone"),
                    ("resolved", "Resolved"),
                ],
                max_length=16,
            ),
        ),
    ]
