"""The lifecycle state of terminals. One table a migration: each is locked for a moment only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0002_tokens_for_many"),
    ]

    operations = [
        migrations.AddField(
            model_name="terminal",
            name="lifecycle",
            field=models.CharField(
                choices=[
                    ("planned", "Planned"),
                    ("in_service", "In service"),
                    ("out_of_service", "Out of service"),
                    ("retired", "Retired"),
                ],
                db_default="in_service",
                default="in_service",
                max_length=16,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="terminal",
            name="lifecycle_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="state since"),
        ),
        migrations.AddIndex(
            model_name="terminal",
            index=models.Index(
                condition=models.Q(("lifecycle", "in_service"), _negated=True),
                fields=["lifecycle"],
                name="terminal_lifecycle",
            ),
        ),
        migrations.AddIndex(
            model_name="terminal",
            index=models.Index(
                condition=models.Q(("serial", ""), _negated=True), fields=["serial"], name="terminal_serial"
            ),
        ),
    ]
