from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0010_faults_of_states"),
        ("rollouts", "0004_failed_items"),
    ]

    operations = [
        migrations.AddField(
            model_name="watchedsite",
            name="strata",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddIndex(
            model_name="rolloutitem",
            index=models.Index(
                condition=models.Q(("updated_at__isnull", False)),
                fields=["rollout", "updated_at"],
                name="rolloutitem_updated",
            ),
        ),
    ]
