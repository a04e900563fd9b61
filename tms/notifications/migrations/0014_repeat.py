import django.core.validators
from django.db import migrations, models

import tms.notifications.models.policy


class Migration(migrations.Migration):
    dependencies = [("notifications", "0013_services")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="repeat_s",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="After the last step, everybody is notified again until someone acknowledges. 0 for never.",
                validators=[
                    django.core.validators.MaxValueValidator(86400),
                    tms.notifications.models.policy.not_too_often,
                ],
                verbose_name="repeat every (seconds)",
            ),
        ),
    ]
