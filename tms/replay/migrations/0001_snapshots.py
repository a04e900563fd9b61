from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
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
