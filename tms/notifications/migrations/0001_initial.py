import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tms.notifications.models.device
import tms.notifications.models.policy
import tms.notifications.subjects
import tms.notifications.transports


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("alerts", "0001_initial"),
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
                    ),
                ),
                (
                    "owner_site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="owner: site",
                    ),
                ),
                (
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="owner: group",
                    ),
                ),
                ("hours_days", models.JSONField(blank=True, db_default=[], default=list)),
                ("hours_from", models.TimeField(blank=True, null=True, verbose_name="from")),
                ("hours_until", models.TimeField(blank=True, null=True, verbose_name="until")),
                (
                    "hours_zone",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="time zone"),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "kind",
                    models.CharField(choices=tms.notifications.transports.choices, max_length=16, verbose_name="kind"),
                ),
                ("address", models.CharField(max_length=500, verbose_name="address")),
                ("encrypted_secrets", models.TextField(default="", editable=False)),
                ("public_values", models.JSONField(db_default={}, default=dict, editable=False)),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("ja", "Japanese")],
                        default="en",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        help_text="Notified here while on call.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="destinations",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person on call",
                    ),
                ),
                (
                    "critical_anyway",
                    models.BooleanField(db_default=True, default=True, verbose_name="always deliver critical alerts"),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                ("retry_at", models.DateTimeField(editable=False, null=True)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "destination",
                "verbose_name_plural": "destinations",
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                            models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                            models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                            _connector="OR",
                        ),
                        name="destination_one_owner",
                        violation_error_message="Choose at most one of region, site and group.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None), models.Q(("kind", "push"), _negated=True)),
                        fields=("name",),
                        name="destination_name_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deleted_at", None), ("enabled", False), _connector="OR"),
                        name="destination_deleted_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rotation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
                    ),
                ),
                (
                    "owner_site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="owner: site",
                    ),
                ),
                (
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="owner: group",
                    ),
                ),
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
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                            models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                            models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                            _connector="OR",
                        ),
                        name="rotation_one_owner",
                        violation_error_message="Choose at most one of region, site and group.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)), fields=("name",), name="rotation_name_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rotation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="members", to="notifications.rotation"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
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
                (
                    "rotation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="covers", to="notifications.rotation"
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
            name="Policy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner_region",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=100, verbose_name="owner: region"
                    ),
                ),
                (
                    "owner_site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.site",
                        verbose_name="owner: site",
                    ),
                ),
                (
                    "owner_group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="fleet.group",
                        verbose_name="owner: group",
                    ),
                ),
                ("hours_days", models.JSONField(blank=True, db_default=[], default=list)),
                ("hours_from", models.TimeField(blank=True, null=True, verbose_name="from")),
                ("hours_until", models.TimeField(blank=True, null=True, verbose_name="until")),
                (
                    "hours_zone",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="time zone"),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("severities", models.JSONField(blank=True, default=list, verbose_name="severities")),
                ("notify_resolved", models.BooleanField(default=True, verbose_name="notify when resolved")),
                ("notify_acknowledged", models.BooleanField(default=False, verbose_name="notify when acknowledged")),
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
                    "repeat_s",
                    models.PositiveIntegerField(
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
                (
                    "group_wait_s",
                    models.PositiveIntegerField(
                        default=5,
                        help_text="Alerts within this time are grouped into one notification.",
                        validators=[django.core.validators.MaxValueValidator(3600)],
                        verbose_name="group for (seconds)",
                    ),
                ),
                ("group_by_site", models.BooleanField(default=True, verbose_name="group by site")),
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
                ("is_personal", models.BooleanField(db_default=False, default=False, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                ("rules", models.ManyToManyField(blank=True, to="alerts.rule", verbose_name="rules")),
            ],
            options={
                "verbose_name": "policy",
                "verbose_name_plural": "policies",
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("owner_region", ""), ("owner_site__isnull", True)),
                            models.Q(("owner_region", ""), ("owner_group__isnull", True)),
                            models.Q(("owner_site__isnull", True), ("owner_group__isnull", True)),
                            _connector="OR",
                        ),
                        name="policy_one_owner",
                        violation_error_message="Choose at most one of region, site and group.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None), ("is_personal", False)),
                        fields=("name",),
                        name="policy_name_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_personal", True)), fields=("is_personal",), name="policy_personal_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deleted_at", None), ("enabled", False), _connector="OR"),
                        name="policy_deleted_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicySite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="notifications.policy"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.site"),
                ),
            ],
            options={
                "unique_together": {("policy", "site")},
            },
        ),
        migrations.CreateModel(
            name="PolicyGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="notifications.policy"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.group"),
                ),
            ],
            options={
                "unique_together": {("policy", "group")},
            },
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="notifications.policy"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "after_s",
                    models.PositiveIntegerField(
                        default=0, validators=[django.core.validators.MaxValueValidator(86400)]
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
            name="Escalation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="escalations",
                        to="alerts.incident",
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
                ("kind", models.CharField(max_length=16)),
                ("happened_at", models.DateTimeField()),
                ("next_step", models.PositiveSmallIntegerField(default=0)),
                ("steps_taken", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("suppression", models.CharField(blank=True, default="", max_length=32)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="escalation_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("alert", "policy"), name="escalation_once"),
                    models.UniqueConstraint(fields=("incident", "policy"), name="escalation_incident_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alert__isnull", True), ("incident__isnull", True), _connector="XOR"),
                        name="escalation_about_one",
                    ),
                ],
            },
            bases=(tms.notifications.subjects.AboutOne, models.Model),
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100, unique=True)),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
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
                            ("availability", "Availability of a month"),
                        ],
                        max_length=16,
                    ),
                ),
                ("site_code", models.CharField(blank=True, default="", max_length=8)),
                ("is_of_incidents", models.BooleanField(db_default=False, default=False)),
                ("language", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("dead", "Failed"),
                            ("withdrawn", "Cancelled"),
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
                ("lease_id", models.UUIDField(null=True)),
                ("leased_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("possible_duplicate", models.BooleanField(default=False)),
                ("detail", models.CharField(blank=True, default="", max_length=500)),
                ("reference", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("content", models.JSONField(default=dict)),
                ("link_used_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("-pk",),
                "indexes": [
                    models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_due"),
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["leased_at"], name="delivery_sending"
                    ),
                    models.Index(condition=models.Q(("state", "dead")), fields=["-id"], name="delivery_dead"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="notifications.delivery"
                    ),
                ),
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
                    models.UniqueConstraint(fields=("delivery", "alert"), name="deliveryitem_once"),
                    models.UniqueConstraint(fields=("delivery", "incident"), name="deliveryitem_incident_once"),
                    models.CheckConstraint(
                        condition=models.Q(("alert__isnull", True), ("incident__isnull", True), _connector="XOR"),
                        name="deliveryitem_about_one",
                    ),
                ],
            },
            bases=(tms.notifications.subjects.AboutOne, models.Model),
        ),
        migrations.CreateModel(
            name="PushKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_key", models.CharField(max_length=100, unique=True)),
                ("encrypted_secrets", models.TextField(editable=False)),
                ("created_at", models.DateTimeField()),
                ("is_current", models.BooleanField(db_default=True, default=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)), fields=("is_current",), name="push_key_one_current"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PushDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "destination",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device",
                        to="notifications.destination",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("is_mobile", models.BooleanField(default=False)),
                ("address_digest", models.CharField(max_length=64, unique=True)),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="notifications.pushkey"
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
            },
        ),
        migrations.CreateModel(
            name="DevicePreferences",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="device_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "severities",
                    models.JSONField(
                        blank=True,
                        default=tms.notifications.models.device.default_severities,
                        verbose_name="severities",
                    ),
                ),
                (
                    "area",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=120, verbose_name="part of the fleet"
                    ),
                ),
                (
                    "is_only_on_call",
                    models.BooleanField(db_default=False, default=False, verbose_name="only while on call"),
                ),
            ],
            options={
                "verbose_name": "preferences for devices",
                "verbose_name_plural": "preferences for devices",
            },
        ),
        migrations.CreateModel(
            name="DigestPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "destination",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="digest_plan",
                        to="notifications.destination",
                    ),
                ),
                ("times", models.CharField(max_length=100)),
                ("time_zone", models.CharField(max_length=64)),
                ("covered_until", models.DateTimeField()),
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
            ],
            options={
                "ordering": ("destination__name",),
            },
        ),
        migrations.CreateModel(
            name="ReportPlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "destination",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="report_plan",
                        to="notifications.destination",
                    ),
                ),
                ("customer", models.CharField(blank=True, default="", max_length=100)),
                ("next_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("destination__name",),
            },
        ),
        migrations.AddField(
            model_name="Policy",
            name="sites",
            field=models.ManyToManyField(
                blank=True, through="notifications.PolicySite", to="fleet.site", verbose_name="sites"
            ),
        ),
        migrations.AddField(
            model_name="Policy",
            name="groups",
            field=models.ManyToManyField(
                blank=True, through="notifications.PolicyGroup", to="fleet.group", verbose_name="groups"
            ),
        ),
        migrations.AddField(
            model_name="Delivery",
            name="alerts",
            field=models.ManyToManyField(
                related_name="deliveries", through="notifications.DeliveryItem", to="alerts.alert"
            ),
        ),
    ]
