import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountedDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateTimeField(unique=True)),
                ("until", models.DateTimeField()),
                ("counted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="FleetCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins_at", models.DateTimeField(unique=True)),
                ("alerts", models.PositiveIntegerField()),
                ("critical", models.PositiveIntegerField()),
                ("incidents", models.PositiveIntegerField()),
                ("outages", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SiteCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins_at", models.DateTimeField()),
                (
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="fleet.site",
                    ),
                ),
                ("alerts", models.PositiveIntegerField()),
                ("critical", models.PositiveIntegerField()),
                ("outages", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("begins_at", "site"), name="sitecount_one")],
            },
        ),
        migrations.CreateModel(
            name="RecordedMoment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("node", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("shown", models.JSONField(default=dict)),
                ("existed", models.JSONField(default=dict)),
                ("visible", models.JSONField(default=dict)),
                ("compared_at", models.DateTimeField(null=True)),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("equal", "Equal"),
                            ("differs", "Differs"),
                            ("deleted", "Terminals or people were deleted since"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("difference", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["at"], name="recordedmoment_at"),
                    models.Index(
                        condition=models.Q(("compared_at__isnull", True)),
                        fields=["id"],
                        name="recordedmoment_uncompared",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(unique=True)),
                ("content", models.BinaryField()),
            ],
        ),
    ]
