from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0007_contracts"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(condition=models.Q(("until__isnull", False)), fields=["until"], name="alert_until"),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("remind_at__isnull", False)), fields=["remind_at"], name="alert_remind"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("contract", "worse"), ("state", "acknowledged")),
                fields=["terminal"],
                name="alert_watchful",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("is_stale", True), ("state", "acknowledged")),
                fields=["acknowledged_at"],
                name="alert_stale",
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "resolved"),
                    models.Q(("acknowledged_at__isnull", False), ("state", "acknowledged")),
                    models.Q(("acknowledged_at__isnull", True), ("state__in", ("open", "snoozed"))),
                    _connector="OR",
                ),
                name="alert_held_since",
            ),
        ),
    ]
