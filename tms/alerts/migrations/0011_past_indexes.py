from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0010_past")]

    operations = [
        migrations.AddIndex("alert", models.Index(fields=["-opened_at", "-id"], name="alert_opened")),
        migrations.AddIndex(
            "alert",
            models.Index(condition=models.Q(("quiet_at_first", None)), fields=["id"], name="alert_unlooked"),
        ),
        migrations.AddIndex(
            "transition",
            models.Index(condition=models.Q(("comment", ""), _negated=True), fields=["alert"], name="transition_said"),
        ),
    ]
