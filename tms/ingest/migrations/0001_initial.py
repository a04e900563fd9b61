import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="TakeoverCounter",
            fields=[
                (
                    "terminal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="fleet.terminal",
                    ),
                ),
                ("taken_at", models.JSONField(default=list)),
                ("banned_until", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("banned_until__isnull", False)),
                        fields=["banned_until"],
                        name="takeovercounter_banned",
                    )
                ],
            },
        ),
    ]
