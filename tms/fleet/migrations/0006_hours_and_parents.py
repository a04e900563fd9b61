import django.db.models.deletion
from django.db import migrations, models

import tms.lib.calendar.public_holidays


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0005_terminal_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="OwnDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_on", models.DateField(verbose_name="first day")),
                (
                    "last_on",
                    models.DateField(
                        blank=True, help_text="Empty: that day alone.", null=True, verbose_name="last day"
                    ),
                ),
                (
                    "opens_at",
                    models.TimeField(
                        blank=True, help_text="Without times it is closed.", null=True, verbose_name="opens at"
                    ),
                ),
                ("closes_at", models.TimeField(blank=True, null=True, verbose_name="closes at")),
                ("note", models.CharField(blank=True, max_length=100, verbose_name="note")),
            ],
            options={
                "verbose_name": "closing day or exceptional opening",
                "verbose_name_plural": "closing days and exceptional openings",
                "ordering": ("first_on", "opens_at"),
            },
        ),
        migrations.RemoveConstraint(
            model_name="openinghours",
            name="opening_weekday",
        ),
        migrations.RemoveConstraint(
            model_name="openinghours",
            name="opening_span",
        ),
        migrations.AddField(
            model_name="site",
            name="holiday_calendar",
            field=models.CharField(
                blank=True,
                default="JP",
                help_text="A country, or a part of one: JP, DE-BY, US-NY. Empty: none.",
                max_length=8,
                validators=[tms.lib.calendar.public_holidays.check_calendar],
                verbose_name="holidays of",
            ),
        ),
        migrations.AddField(
            model_name="site",
            name="on_holidays",
            field=models.CharField(
                choices=[
                    ("as_usual", "open as on other days"),
                    ("closed", "closed"),
                    ("other", "other hours, given below"),
                ],
                default="as_usual",
                max_length=8,
                verbose_name="on public holidays",
            ),
        ),
        migrations.AddField(
            model_name="terminal",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                help_text="A router or gateway of the site: while it is away nobody is told of what lies behind it.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="fleet.terminal",
                verbose_name="linked through",
            ),
        ),
        migrations.AlterField(
            model_name="presencechange",
            name="before",
            field=models.CharField(
                choices=[
                    ("online", "Online"),
                    ("silent", "Silent"),
                    ("rebooting", "Rebooting"),
                    ("closed", "Closed"),
                    ("offline", "Offline"),
                    ("never", "Never seen"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="presencechange",
            name="presence",
            field=models.CharField(
                choices=[
                    ("online", "Online"),
                    ("silent", "Silent"),
                    ("rebooting", "Rebooting"),
                    ("closed", "Closed"),
                    ("offline", "Offline"),
                    ("never", "Never seen"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="terminalstate",
            name="presence",
            field=models.CharField(
                choices=[
                    ("online", "Online"),
                    ("silent", "Silent"),
                    ("rebooting", "Rebooting"),
                    ("closed", "Closed"),
                    ("offline", "Offline"),
                    ("never", "Never seen"),
                ],
                default="never",
                max_length=16,
                verbose_name="presence",
            ),
        ),
        migrations.AddConstraint(
            model_name="openinghours",
            constraint=models.CheckConstraint(condition=models.Q(("weekday__lte", 7)), name="opening_weekday"),
        ),
        migrations.AddField(
            model_name="ownday",
            name="site",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="own_days", to="fleet.site"
            ),
        ),
        migrations.AddConstraint(
            model_name="ownday",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_on", None), ("last_on__gte", models.F("first_on")), _connector="OR"),
                name="own_day_order",
                violation_error_message="The last day must not lie before the first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ownday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closes_at", None), ("opens_at", None)),
                    models.Q(("closes_at__isnull", False), ("opens_at__isnull", False)),
                    _connector="OR",
                ),
                name="own_day_times",
                violation_error_message="Give both times, or none of them for a day on which it is closed.",
            ),
        ),
    ]
