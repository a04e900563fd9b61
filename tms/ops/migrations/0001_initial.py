from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("node", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LoopSuccess",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("node", models.CharField(max_length=64)),
                ("succeeded_at", models.DateTimeField()),
                ("limit_s", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="SloSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("indicator", models.CharField(max_length=16)),
                ("outcome", models.CharField(max_length=8)),
                ("since", models.DateTimeField()),
                ("bound_s", models.FloatField()),
                ("number", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("since", "indicator", "outcome", "bound_s"), name="slosample_once")
                ],
            },
        ),
    ]
