from django.db import migrations, models

import tms.alerts.rule_kinds


class Migration(migrations.Migration):
    """Refer to the choices instead of listing them; nothing changes in the database."""

    dependencies = [("alerts", "0019_wording")]

    operations = [
        migrations.AlterField(
            model_name="rule",
            name="kind",
            field=models.CharField(choices=tms.alerts.rule_kinds.source_choices, max_length=16, verbose_name="kind"),
        ),
        migrations.AlterField(
            model_name="rule",
            name="comparison",
            field=models.CharField(
                blank=True, choices=tms.alerts.rule_kinds.comparison_choices, max_length=8, verbose_name="comparison"
            ),
        ),
    ]
