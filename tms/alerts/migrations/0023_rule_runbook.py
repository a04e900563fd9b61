from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("alerts", "0022_incident_opened"),)

    operations = (
        migrations.AddField(
            model_name="rule",
            name="runbook",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What to do about an alert, in Markdown, or the URL of a page that says it.",
                max_length=4000,
                verbose_name="runbook",
            ),
        ),
    )
