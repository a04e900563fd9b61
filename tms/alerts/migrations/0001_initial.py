"""Alerts and incidents, and rules that are right for most fleets."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import tms.alerts.rule_kinds

DEFAULT_RULES = (
    {
        "name": "Offline",
        "name_ja": "オフライン",
        "kind": "presence",
        "severity": "critical",
        "presence": "offline",
        "duration_s": 60,
        "hours": "open",
    },
    {
        "name": "Overheating",
        "name_ja": "過熱",
        "kind": "metric",
        "severity": "warning",
        "metric": "temperature_c",
        "comparison": "above",
        "limit": 60,
        "higher_thresholds": [{"severity": "critical", "limit": 75}],
        "hysteresis": 3,
        "duration_s": 60,
    },
    {
        "name": "Paper low",
        "name_ja": "用紙残りわずか",
        "kind": "metric",
        "severity": "warning",
        "metric": "paper_pct",
        "comparison": "below",
        "limit": 10,
        "hysteresis": 5,
    },
    {
        "name": "Disk full",
        "name_ja": "ディスク容量不足",
        "kind": "metric",
        "severity": "warning",
        "metric": "disk_pct",
        "comparison": "above",
        "limit": 90,
        "hysteresis": 3,
    },
    {
        "name": "Reader fault",
        "name_ja": "カードリーダー障害",
        "kind": "event",
        "severity": "critical",
        "event_code": "card_reader_fault",
        "clear_code": "card_reader_ok",
    },
    {
        "name": "Duplicate credential",
        "name_ja": "認証情報の重複使用",
        "kind": "event",
        "severity": "critical",
        "event_code": "tms.duplicate_credential",
        "clear_after_s": 900,
    },
    {
        "name": "Other firmware",
        "name_ja": "ファームウェア不一致",
        "kind": "firmware",
        "severity": "info",
        "duration_s": 86_400,
        "enabled": False,
    },
    {
        "name": "Wrong clock",
        "name_ja": "時計のずれ",
        "kind": "clock",
        "severity": "warning",
        "limit": 120,
        "hysteresis": 30,
        "duration_s": 600,
        "enabled": False,
    },
)


def add_default_rules(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    rules = apps.get_model("alerts", "Rule").objects
    for rule in DEFAULT_RULES:
        rules.get_or_create(name=rule["name"], defaults=rule)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("fleet", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("name_ja", models.CharField(blank=True, max_length=100, verbose_name="Japanese name")),
                (
                    "kind",
                    models.CharField(choices=tms.alerts.rule_kinds.source_choices, max_length=16, verbose_name="kind"),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        default="warning",
                        max_length=16,
                        verbose_name="severity",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "duration_s",
                    models.FloatField(
                        default=0,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="for at least (seconds)",
                    ),
                ),
                (
                    "hours",
                    models.CharField(
                        choices=[("always", "always"), ("open", "while the site is open")],
                        db_default="always",
                        default="always",
                        help_text="A condition that arises while a site is closed opens its alert at opening time, if it lasts.",
                        max_length=8,
                        verbose_name="active",
                    ),
                ),
                (
                    "presence",
                    models.CharField(
                        blank=True,
                        choices=[("silent", "Silent"), ("offline", "Offline")],
                        max_length=16,
                        verbose_name="presence",
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        blank=True,
                        max_length=64,
                        validators=[django.core.validators.RegexValidator("^[a-z][a-z0-9_.]{0,63}\\Z")],
                        verbose_name="metric",
                    ),
                ),
                (
                    "comparison",
                    models.CharField(
                        blank=True,
                        choices=tms.alerts.rule_kinds.comparison_choices,
                        max_length=8,
                        verbose_name="comparison",
                    ),
                ),
                ("limit", models.FloatField(blank=True, null=True, verbose_name="threshold")),
                ("lower_limit", models.FloatField(blank=True, null=True, verbose_name="lower threshold")),
                ("higher_thresholds", models.JSONField(blank=True, db_default=[], default=list)),
                (
                    "hysteresis",
                    models.FloatField(
                        default=0, validators=[django.core.validators.MinValueValidator(0)], verbose_name="hysteresis"
                    ),
                ),
                (
                    "window_s",
                    models.FloatField(
                        db_default=0,
                        default=0,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="time window (seconds)",
                    ),
                ),
                ("event_code", models.CharField(blank=True, max_length=64, verbose_name="event code")),
                ("clear_code", models.CharField(blank=True, max_length=64, verbose_name="clear event code")),
                (
                    "clear_after_s",
                    models.FloatField(
                        default=0,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="clears after (seconds)",
                    ),
                ),
                (
                    "may_be_resolved_by_hand",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="For problems that no report clears. The alert reopens if the problem recurs.",
                        verbose_name="manual resolve",
                    ),
                ),
                (
                    "watches_flapping",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="An alert that opens and recovers repeatedly is kept as one alert until stable.",
                        verbose_name="detect flapping",
                    ),
                ),
                (
                    "firmware",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="firmware"),
                ),
                (
                    "runbook",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="What to do about an alert, in Markdown, or the URL of a page that says it.",
                        max_length=4000,
                        verbose_name="runbook",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="fleet.site",
                        verbose_name="scope: site",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="fleet.group",
                        verbose_name="scope: group",
                    ),
                ),
                (
                    "model",
                    models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="scope: model"),
                ),
                (
                    "terminal_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("payment", "Payment terminal"),
                            ("kiosk", "Kiosk"),
                            ("gate", "Ticket gate"),
                            ("signage", "Signage player"),
                            ("tablet", "Tablet"),
                            ("computer", "Computer"),
                        ],
                        max_length=16,
                        verbose_name="scope: terminal kind",
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="changed_rules",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "rule",
                "verbose_name_plural": "rules",
                "ordering": ("name",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at", None)),
                        fields=("name",),
                        name="rule_name_once",
                        violation_error_message="A rule with this name already exists. Enter another name.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("deleted_at", None), ("enabled", False), _connector="OR"),
                        name="rule_deleted_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "factor",
                    models.CharField(
                        choices=[
                            ("site", "site"),
                            ("group", "group"),
                            ("model", "model"),
                            ("firmware", "firmware"),
                            ("node", "TMS node"),
                            ("region", "region"),
                            ("fleet", "whole fleet"),
                        ],
                        max_length=16,
                        verbose_name="common factor",
                    ),
                ),
                ("key", models.CharField(max_length=160)),
                (
                    "site",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="fleet.site",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="incidents",
                        to="fleet.group",
                    ),
                ),
                ("group_name", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "rule",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="alerts.rule",
                    ),
                ),
                ("site_count", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "merged_into",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="parts",
                        to="alerts.incident",
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        max_length=16,
                        verbose_name="severity",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("snoozed", "Snoozed"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("version", models.PositiveIntegerField(db_default=1, default=1)),
                ("size", models.PositiveIntegerField()),
                ("lost", models.PositiveIntegerField()),
                ("joined_count", models.PositiveIntegerField(default=0)),
                ("resolved_count", models.PositiveIntegerField(default=0)),
                ("unchanged_since", models.DateTimeField()),
                (
                    "common_factor",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("site", "site"),
                            ("group", "group"),
                            ("model", "model"),
                            ("firmware", "firmware"),
                            ("node", "TMS node"),
                            ("region", "region"),
                            ("fleet", "whole fleet"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("common_name", models.CharField(blank=True, default="", max_length=100)),
                ("common_count", models.PositiveIntegerField(default=0)),
                ("acknowledged_at", models.DateTimeField(null=True, verbose_name="acknowledged at")),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("recovery", "until recovery"),
                            ("time", "until a time"),
                            ("worse", "until it gets worse"),
                        ],
                        default="",
                        max_length=16,
                        verbose_name="contract",
                    ),
                ),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("by_snooze", models.BooleanField(db_default=False, default=False)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("comment", models.CharField(blank=True, default="", max_length=500, verbose_name="comment")),
                (
                    "claimed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                ("resolved_at", models.DateTimeField(null=True, verbose_name="resolved at")),
            ],
            options={
                "verbose_name": "incident",
                "verbose_name_plural": "incidents",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=["opened_at"],
                        name="incident_unresolved",
                    ),
                    models.Index(fields=["-resolved_at"], name="incident_resolved"),
                    models.Index(fields=["-opened_at", "-id"], name="incident_opened"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=("factor", "key"),
                        name="incident_one_unresolved",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="alerts.rule"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to="fleet.terminal"
                    ),
                ),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        max_length=16,
                        verbose_name="severity",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("acknowledged", "Acknowledged"),
                            ("snoozed", "Snoozed"),
                            ("resolved", "Resolved"),
                        ],
                        default="open",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened at")),
                ("value", models.FloatField(null=True, verbose_name="value")),
                ("version", models.PositiveIntegerField(db_default=1, default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acknowledged_at", models.DateTimeField(null=True, verbose_name="acknowledged at")),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="acknowledged_alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("first_acknowledged_at", models.DateTimeField(null=True)),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("recovery", "until recovery"),
                            ("time", "until a time"),
                            ("worse", "until it gets worse"),
                        ],
                        db_default="",
                        default="",
                        max_length=16,
                        verbose_name="contract",
                    ),
                ),
                ("until", models.DateTimeField(null=True, verbose_name="until")),
                ("remind_at", models.DateTimeField(null=True)),
                (
                    "is_stale",
                    models.BooleanField(db_default=False, default=False, verbose_name="stale acknowledgement"),
                ),
                (
                    "assigned_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assigned_alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "claimed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="claimed_alerts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                ("comment", models.CharField(blank=True, max_length=500, verbose_name="comment")),
                ("resolved_at", models.DateTimeField(null=True, verbose_name="resolved at")),
                (
                    "incident",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="alerts",
                        to="alerts.incident",
                        verbose_name="incident",
                    ),
                ),
                ("is_separate", models.BooleanField(db_default=False, default=False)),
                ("suppressed_at_open", models.CharField(max_length=16, null=True)),
            ],
            options={
                "verbose_name": "alert",
                "verbose_name_plural": "alerts",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=["terminal"],
                        name="alert_unresolved",
                    ),
                    models.Index(fields=["-resolved_at"], name="alert_resolved"),
                    models.Index(fields=["-opened_at", "-id"], name="alert_opened"),
                    models.Index(
                        condition=models.Q(("suppressed_at_open", None)),
                        fields=["id"],
                        name="alert_suppression_unknown",
                    ),
                    models.Index(fields=["terminal", "-opened_at"], name="alert_terminal"),
                    models.Index(
                        condition=models.Q(("incident__isnull", True), models.Q(("state", "resolved"), _negated=True)),
                        fields=["opened_at"],
                        name="alert_uncorrelated",
                    ),
                    models.Index(condition=models.Q(("until__isnull", False)), fields=["until"], name="alert_until"),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)), fields=["remind_at"], name="alert_remind"
                    ),
                    models.Index(
                        condition=models.Q(("contract", "worse"), ("state", "acknowledged")),
                        fields=["terminal"],
                        name="alert_until_worse",
                    ),
                    models.Index(
                        condition=models.Q(("claimed_until__isnull", False)),
                        fields=["claimed_until"],
                        name="alert_claimed",
                    ),
                    models.Index(
                        condition=models.Q(("is_stale", True), ("state", "acknowledged")),
                        fields=["acknowledged_at"],
                        name="alert_stale",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "resolved"), _negated=True),
                        fields=("rule", "terminal"),
                        name="alert_one_unresolved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "resolved"),
                            models.Q(("acknowledged_at__isnull", False), ("state", "acknowledged")),
                            models.Q(("acknowledged_at__isnull", True), ("state__in", ("open", "snoozed"))),
                            _connector="OR",
                        ),
                        name="alert_held_since",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Condition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="conditions", to="alerts.rule"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="conditions", to="fleet.terminal"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("lapses_at", models.DateTimeField(null=True)),
                ("value", models.FloatField(null=True)),
                (
                    "severity",
                    models.CharField(
                        blank=True,
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="condition_due"
                    ),
                    models.Index(
                        condition=models.Q(("lapses_at__isnull", False)), fields=["lapses_at"], name="condition_lapses"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("rule", "terminal"), name="condition_once")],
            },
        ),
        migrations.CreateModel(
            name="CorrelationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "factor",
                    models.CharField(
                        choices=[
                            ("site", "site"),
                            ("group", "group"),
                            ("model", "model"),
                            ("firmware", "firmware"),
                            ("node", "TMS node"),
                            ("region", "region"),
                            ("fleet", "whole fleet"),
                        ],
                        max_length=16,
                        unique=True,
                        verbose_name="common factor",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "within_s",
                    models.PositiveIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="within (seconds)",
                    ),
                ),
                (
                    "least",
                    models.PositiveIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(10000),
                        ],
                        verbose_name="at least (terminals)",
                    ),
                ),
                (
                    "small_pct",
                    models.PositiveSmallIntegerField(
                        default=50,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="below 20 terminals (%)",
                    ),
                ),
                (
                    "medium_pct",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="20 to 99 terminals (%)",
                    ),
                ),
                (
                    "large_pct",
                    models.PositiveSmallIntegerField(
                        default=20,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="100 terminals or more (%)",
                    ),
                ),
            ],
            options={
                "verbose_name": "correlation rule",
                "verbose_name_plural": "correlation rules",
            },
        ),
        migrations.CreateModel(
            name="SameRuleCorrelation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "factor",
                    models.CharField(
                        choices=[
                            ("site", "site"),
                            ("group", "group"),
                            ("model", "model"),
                            ("firmware", "firmware"),
                            ("node", "TMS node"),
                            ("region", "region"),
                            ("fleet", "whole fleet"),
                        ],
                        max_length=16,
                        unique=True,
                        verbose_name="common factor",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "within_s",
                    models.PositiveIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(3600),
                        ],
                        verbose_name="within (seconds)",
                    ),
                ),
                (
                    "least",
                    models.PositiveIntegerField(
                        default=3,
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(10000),
                        ],
                        verbose_name="at least (terminals)",
                    ),
                ),
                (
                    "small_pct",
                    models.PositiveSmallIntegerField(
                        default=50,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="below 20 terminals (%)",
                    ),
                ),
                (
                    "medium_pct",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="20 to 99 terminals (%)",
                    ),
                ),
                (
                    "large_pct",
                    models.PositiveSmallIntegerField(
                        default=20,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="100 terminals or more (%)",
                    ),
                ),
            ],
            options={
                "verbose_name": "correlation of one rule",
                "verbose_name_plural": "correlations of one rule",
            },
        ),
        migrations.CreateModel(
            name="Flapping",
            fields=[
                (
                    "alert",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="flapping",
                        serialize=False,
                        to="alerts.alert",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("changes", models.PositiveIntegerField()),
                ("recent", models.JSONField()),
                ("is_failing", models.BooleanField(default=True)),
                ("stable_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)), fields=["stable_at"], name="flapping_stable"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentTransition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transitions", to="alerts.incident"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("joined", "More alerts"),
                            ("left", "Recovered"),
                            ("worsened", "Worsened"),
                            ("eased", "Improved"),
                            ("claimed", "Claimed"),
                            ("released", "Claim ended"),
                            ("acknowledged", "Acknowledged"),
                            ("changed", "Acknowledgement changed"),
                            ("withdrawn", "Reopened"),
                            ("expired", "Reopened: acknowledgement expired"),
                            ("undone", "Reopened: worsened"),
                            ("snoozed", "Snoozed"),
                            ("assigned", "Assigned"),
                            ("commented", "Comment"),
                            ("dissolved", "Resolved, rest separate"),
                            ("moved-out", "Alerts moved out"),
                            ("merged", "Merged into a larger incident"),
                            ("resolved", "Resolved"),
                        ],
                        max_length=16,
                    ),
                ),
                ("at", models.DateTimeField()),
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
                    "to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("comment", models.CharField(blank=True, default="", max_length=500)),
                ("number", models.PositiveIntegerField(default=0)),
                ("open_count", models.PositiveIntegerField()),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")], max_length=16
                    ),
                ),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("recovery", "until recovery"),
                            ("time", "until a time"),
                            ("worse", "until it gets worse"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("until", models.DateTimeField(null=True)),
                ("dispatched_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("at", "pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("dispatched_at__isnull", True)), fields=["id"], name="incident_undispatched"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Window",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("note", models.CharField(max_length=200)),
                ("time_zone", models.CharField(max_length=64)),
                ("first_on", models.DateField()),
                ("starts_at", models.TimeField()),
                ("length_s", models.PositiveIntegerField()),
                ("rrule", models.CharField(blank=True, max_length=200)),
                ("occurs_at", models.DateTimeField()),
                ("occurs_until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("is_active", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="windows",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sites", models.ManyToManyField(blank=True, related_name="windows", to="fleet.site")),
                ("groups", models.ManyToManyField(blank=True, related_name="windows", to="fleet.group")),
                ("terminals", models.ManyToManyField(blank=True, related_name="windows", to="fleet.terminal")),
            ],
            options={
                "verbose_name": "maintenance window",
                "verbose_name_plural": "maintenance windows",
                "indexes": [
                    models.Index(condition=models.Q(("ended_at", None)), fields=["occurs_at"], name="window_not_ended"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["-ended_at"], name="window_ended"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("length_s__gt", 0)), name="window_length"),
                    models.CheckConstraint(
                        condition=models.Q(("occurs_until__gte", models.F("occurs_at"))), name="window_order"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PastOccurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "window",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="past_occurrences",
                        to="alerts.window",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("window", "since"), name="past_occurrence_once")],
            },
        ),
        migrations.CreateModel(
            name="MembershipChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "alert",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="membership_changes",
                        to="alerts.alert",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "before",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="alerts.incident",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="membership_changes",
                        to="alerts.incident",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Transition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transitions", to="alerts.alert"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("worsened", "Worsened"),
                            ("eased", "Improved"),
                            ("claimed", "Claimed"),
                            ("released", "Claim ended"),
                            ("acknowledged", "Acknowledged"),
                            ("changed", "Acknowledgement changed"),
                            ("withdrawn", "Reopened"),
                            ("expired", "Reopened: time expired"),
                            ("undone", "Reopened: worsened"),
                            ("snoozed", "Snoozed"),
                            ("assigned", "Assigned"),
                            ("commented", "Comment"),
                            ("reminded", "Reminder: stale acknowledgement"),
                            ("flapping", "Flapping started"),
                            ("calm", "Flapping stopped"),
                            ("resolved", "Resolved"),
                        ],
                        max_length=16,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("comment", models.CharField(blank=True, max_length=500)),
                (
                    "severity",
                    models.CharField(
                        blank=True,
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        blank=True,
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("info", "Info")],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                ("value", models.FloatField(null=True)),
                (
                    "contract",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("recovery", "until recovery"),
                            ("time", "until a time"),
                            ("worse", "until it gets worse"),
                        ],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                ("until", models.DateTimeField(null=True)),
                ("dispatched_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ("at", "pk"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("dispatched_at__isnull", True)),
                        fields=["id"],
                        name="transition_undispatched",
                    ),
                    models.Index(fields=["-at"], name="transition_at"),
                    models.Index(
                        condition=models.Q(("comment", ""), _negated=True),
                        fields=["alert"],
                        name="transition_commented",
                    ),
                ],
            },
        ),
        migrations.RunPython(add_default_rules, migrations.RunPython.noop),
    ]
