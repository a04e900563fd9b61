"""The tables of a new installation."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tms.notifications.transports


class Migration(migrations.Migration):
    replaces = [
        ("notifications", "0001_initial"),
        ("notifications", "0002_incidents"),
        ("notifications", "0003_news_of_flapping"),
        ("notifications", "0004_digest_plans"),
        ("notifications", "0005_rotations"),
        ("notifications", "0006_hours"),
        ("notifications", "0007_removal"),
        ("notifications", "0008_names"),
        ("notifications", "0009_wording"),
    ]

    initial = True

    dependencies = [
        ("alerts", "0013_claims"),
        ("fleet", "0006_hours_and_parents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "kind",
                    models.CharField(choices=tms.notifications.transports.choices, max_length=16, verbose_name="kind"),
                ),
                ("address", models.CharField(max_length=500, verbose_name="address")),
                ("encrypted_secrets", models.TextField(db_column="sealed", default="", editable=False)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("ja", "Japanese")],
                        default="en",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                ("retry_at", models.DateTimeField(editable=False, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        help_text="Notified here while on call.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="destinations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="belongs to",
                    ),
                ),
                (
                    "critical_anyway",
                    models.BooleanField(db_default=True, default=True, verbose_name="always deliver critical alerts"),
                ),
                ("hours_days", models.JSONField(blank=True, db_default=[], default=list)),
                ("hours_from", models.TimeField(blank=True, null=True, verbose_name="from")),
                ("hours_until", models.TimeField(blank=True, null=True, verbose_name="until")),
                (
                    "hours_zone",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="time zone"),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "destination",
                "verbose_name_plural": "destinations",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)), fields=("name",), name="destination_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deleted_at", None), ("enabled", False), _connector="OR"),
                        name="destination_deleted_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("severities", models.JSONField(blank=True, default=list, verbose_name="severities")),
                (
                    "notify_resolved",
                    models.BooleanField(db_column="tells_recovery", default=True, verbose_name="notify when resolved"),
                ),
                (
                    "notify_acknowledged",
                    models.BooleanField(
                        db_column="tells_acknowledgement", default=False, verbose_name="notify when acknowledged"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "English"), ("ja", "Japanese")],
                        help_text="Leave empty to use the language of each destination.",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "delay_s",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Alerts that are resolved or acknowledged before that are not notified.",
                        validators=[django.core.validators.MaxValueValidator(86400)],
                        verbose_name="notify after (seconds)",
                    ),
                ),
                (
                    "group_wait_s",
                    models.PositiveIntegerField(
                        db_column="gather_s",
                        default=5,
                        help_text="Alerts within this time are grouped into one notification.",
                        validators=[django.core.validators.MaxValueValidator(3600)],
                        verbose_name="group for (seconds)",
                    ),
                ),
                ("group_by_site", models.BooleanField(db_column="by_site", default=True, verbose_name="group by site")),
                ("hours_days", models.JSONField(blank=True, db_default=[], default=list)),
                ("hours_from", models.TimeField(blank=True, null=True, verbose_name="from")),
                ("hours_until", models.TimeField(blank=True, null=True, verbose_name="until")),
                (
                    "hours_zone",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="time zone"),
                ),
                (
                    "when",
                    models.CharField(
                        choices=[
                            ("always", "always"),
                            ("within", "during these hours"),
                            ("outside", "outside these hours"),
                            ("open", "while the site is open"),
                            ("closed", "while the site is closed"),
                        ],
                        db_default="always",
                        default="always",
                        help_text="Anything still unresolved when these hours begin is notified then.",
                        max_length=8,
                        verbose_name="active",
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                ("groups", models.ManyToManyField(blank=True, to="fleet.group", verbose_name="groups")),
                ("rules", models.ManyToManyField(blank=True, to="alerts.rule", verbose_name="rules")),
                ("sites", models.ManyToManyField(blank=True, to="fleet.site", verbose_name="sites")),
            ],
            options={
                "verbose_name": "policy",
                "verbose_name_plural": "policies",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)), fields=("name",), name="policy_name_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deleted_at", None), ("enabled", False), _connector="OR"),
                        name="policy_deleted_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DigestPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("times", models.CharField(max_length=100)),
                ("time_zone", models.CharField(max_length=64)),
                ("covered_until", models.DateTimeField(db_column="told_until")),
                ("next_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "destination",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="digest_plan",
                        to="notifications.destination",
                    ),
                ),
            ],
            options={
                "ordering": ("destination__name",),
            },
        ),
        migrations.CreateModel(
            name="Rotation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("time_zone", models.CharField(default="Asia/Tokyo", max_length=64, verbose_name="time zone")),
                ("starts_on", models.DateField(verbose_name="first day")),
                ("handover_at", models.TimeField(verbose_name="handover time")),
                (
                    "every_days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(28),
                        ],
                        verbose_name="shift length (days)",
                    ),
                ),
                ("weekdays", models.JSONField(blank=True, default=list)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "rotation",
                "verbose_name_plural": "rotations",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)), fields=("name",), name="rotation_name_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "after_s",
                    models.PositiveIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(86400)]
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="notifications.policy"
                    ),
                ),
                ("destinations", models.ManyToManyField(blank=True, to="notifications.destination")),
                ("rotations", models.ManyToManyField(blank=True, to="notifications.rotation")),
            ],
            options={
                "ordering": ("policy", "position"),
                "constraints": [models.UniqueConstraint(fields=("policy", "position"), name="step_once")],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "rotation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="notifications.rotation"
                    ),
                ),
            ],
            options={
                "ordering": ("rotation", "position"),
                "constraints": [models.UniqueConstraint(fields=("rotation", "position"), name="member_once")],
            },
        ),
        migrations.CreateModel(
            name="Cover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(verbose_name="from")),
                ("until", models.DateTimeField(verbose_name="until")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
                (
                    "rotation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="covers", to="notifications.rotation"
                    ),
                ),
            ],
            options={
                "ordering": ("since", "pk"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("since"))), name="cover_ends_after_it_begins"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Escalation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=16)),
                ("happened_at", models.DateTimeField()),
                ("next_step", models.PositiveSmallIntegerField(db_column="step", default=0)),
                ("steps_taken", models.PositiveIntegerField(db_column="taken", default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("suppression", models.CharField(blank=True, db_column="quiet", default="", max_length=32)),
                (
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="escalations",
                        to="alerts.alert",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="escalations",
                        to="notifications.policy",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="escalations",
                        to="alerts.incident",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="telling_due")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("alert", "policy"), name="telling_once"),
                    models.UniqueConstraint(fields=("incident", "policy"), name="telling_of_incident_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alert__isnull", True), ("incident__isnull", True), _connector="XOR"),
                        name="telling_about_one",
                    ),
                ],
                "db_table": "notifications_telling",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100, unique=True)),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("step", models.PositiveSmallIntegerField(default=0)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("worsened", "Worsened"),
                            ("flapping", "Flapping"),
                            ("calm", "Flapping stopped, unresolved"),
                            ("acknowledged", "Acknowledged"),
                            ("assigned", "Assigned to you"),
                            ("reminded", "Reminder"),
                            ("resolved", "Resolved"),
                            ("digest", "Shift digest"),
                        ],
                        db_column="news",
                        max_length=16,
                    ),
                ),
                ("site_code", models.CharField(blank=True, db_column="place", default="", max_length=8)),
                ("language", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("dead", "Failed"),
                            ("withdrawn", "No longer needed"),
                        ],
                        default="waiting",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("give_up_at", models.DateTimeField()),
                ("happened_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("lease_id", models.UUIDField(db_column="claim", null=True)),
                ("leased_at", models.DateTimeField(db_column="claimed_at", null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("possible_duplicate", models.BooleanField(default=False)),
                ("detail", models.CharField(blank=True, db_column="answer", default="", max_length=500)),
                ("content", models.JSONField(default=dict)),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="notifications.destination",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="deliveries",
                        to="notifications.policy",
                    ),
                ),
                ("is_of_incidents", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_due"),
                    models.Index(condition=models.Q(("state", "dead")), fields=["-id"], name="delivery_dead"),
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["leased_at"], name="delivery_sending"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery_items",
                        to="alerts.alert",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="notifications.delivery"
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery_items",
                        to="alerts.incident",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "alert"), name="told_once"),
                    models.UniqueConstraint(fields=("delivery", "incident"), name="told_of_incident_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alert__isnull", True), ("incident__isnull", True), _connector="XOR"),
                        name="told_about_one",
                    ),
                ],
                "db_table": "notifications_told",
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="alerts",
            field=models.ManyToManyField(
                related_name="deliveries", through="notifications.DeliveryItem", to="alerts.alert"
            ),
        ),
    ]
