"""The fleet. PostgreSQL gets the collation of UIDs, and an index of trigrams for the search."""

import warnings
from typing import Any

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.conf import settings
from django.db import (
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    migrations,
    models,
    transaction,
)
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import tms.lib.calendar.public_holidays
from tms.lib.db import natural_order

INDEX = "INDEX {} terminal_words ON fleet_terminal USING gin (words gin_trgm_ops)"
WITHOUT_INDEX = (
    "PostgreSQL lets this role have no extension pg_trgm: a search reads every terminal. Ask an administrator of the"
    f" database to run CREATE EXTENSION pg_trgm, then run CREATE {INDEX.format('CONCURRENTLY')}"
)


def add_search_index(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For any part of a word, if PostgreSQL has the extension."""
    if schema_editor.connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(f"CREATE {INDEX.format('')}")
    except (ProgrammingError, NotSupportedError, OperationalError, InternalError) as error:
        warnings.warn(f"{WITHOUT_INDEX} ({str(error).strip()})", stacklevel=1)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        natural_order.create(),
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=8, unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("name_ja", models.CharField(blank=True, max_length=100, verbose_name="Japanese name")),
                ("region", models.CharField(blank=True, max_length=100, verbose_name="region")),
                ("time_zone", models.CharField(default="Asia/Tokyo", max_length=64, verbose_name="time zone")),
                (
                    "holiday_calendar",
                    models.CharField(
                        blank=True,
                        db_default="JP",
                        default="JP",
                        help_text="A country or region: JP, DE-BY, US-NY. Leave empty for none.",
                        max_length=8,
                        validators=[tms.lib.calendar.public_holidays.check_calendar],
                        verbose_name="holiday calendar",
                    ),
                ),
                (
                    "on_holidays",
                    models.CharField(
                        choices=[("as_usual", "open as usual"), ("closed", "closed"), ("other", "special hours below")],
                        db_default="as_usual",
                        default="as_usual",
                        max_length=8,
                        verbose_name="on public holidays",
                    ),
                ),
            ],
            options={
                "verbose_name": "site",
                "verbose_name_plural": "sites",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="Terminal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.CharField(max_length=64, unique=True, verbose_name="UID")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terminals",
                        to="fleet.site",
                        verbose_name="site",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        help_text="A router or gateway. While it is offline, nobody is notified of terminals behind it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="fleet.terminal",
                        verbose_name="connected via",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment", "Payment terminal"),
                            ("kiosk", "Kiosk"),
                            ("gate", "Ticket gate"),
                            ("signage", "Signage player"),
                            ("tablet", "Tablet"),
                            ("computer", "Computer"),
                        ],
                        default="kiosk",
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("label", models.CharField(blank=True, max_length=100, verbose_name="location")),
                ("serial", models.CharField(blank=True, max_length=64, verbose_name="serial number")),
                ("model", models.CharField(blank=True, max_length=64, verbose_name="model")),
                ("firmware", models.CharField(blank=True, max_length=64, verbose_name="firmware")),
                ("agent", models.CharField(blank=True, max_length=64, verbose_name="agent")),
                ("address", models.GenericIPAddressField(blank=True, null=True, verbose_name="address")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Upper(
                            django.db.models.functions.text.Concat(
                                django.db.models.functions.comparison.Cast("uid", models.TextField()),
                                models.Value("\n", models.TextField()),
                                django.db.models.functions.comparison.Cast("label", models.TextField()),
                                models.Value("\n", models.TextField()),
                                django.db.models.functions.comparison.Cast("serial", models.TextField()),
                                models.Value("\n", models.TextField()),
                                django.db.models.functions.comparison.Cast("model", models.TextField()),
                                models.Value("\n", models.TextField()),
                                django.db.models.functions.comparison.Cast("address", models.TextField()),
                                models.Value("\n", models.TextField()),
                            )
                        ),
                        output_field=models.TextField(),
                    ),
                ),
            ],
            options={
                "verbose_name": "terminal",
                "verbose_name_plural": "terminals",
                "ordering": ("uid",),
                "indexes": [models.Index(natural_order.natural("uid"), name="terminal_natural_uid")],
            },
        ),
        migrations.RunPython(add_search_index, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "terminals",
                    models.ManyToManyField(
                        blank=True, related_name="groups", to="fleet.terminal", verbose_name="terminals"
                    ),
                ),
            ],
            options={
                "verbose_name": "group",
                "verbose_name_plural": "groups",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="TerminalState",
            fields=[
                (
                    "terminal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="fleet.terminal",
                    ),
                ),
                (
                    "presence",
                    models.CharField(
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
                ("presence_at", models.DateTimeField(null=True, verbose_name="since")),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("reboot", "announced reboot"),
                            ("update", "announced update"),
                            ("closing", "announced closing time"),
                            ("shutdown", "shut down normally"),
                            ("connection_lost", "connection lost"),
                            ("lease_ran_out", "no data received"),
                            ("did_not_return", "not back on time"),
                            ("node_stopped", "TMS restarted"),
                            ("node_lost", "TMS node lost"),
                            ("replaced", "credential used elsewhere"),
                        ],
                        default="",
                        max_length=24,
                        verbose_name="cause",
                    ),
                ),
                ("back_at", models.DateTimeField(null=True, verbose_name="expected back")),
                ("due_at", models.DateTimeField(null=True)),
                ("lease_at", models.DateTimeField(null=True)),
                ("last_seen_at", models.DateTimeField(null=True, verbose_name="last seen")),
                ("session", models.BigIntegerField(default=0)),
                ("node", models.CharField(blank=True, default="", max_length=64)),
                ("boot_id", models.CharField(blank=True, default="", max_length=64)),
                ("seq", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        choices=[("ok", "OK"), ("degraded", "Degraded"), ("fault", "Fault")],
                        default="",
                        max_length=16,
                        verbose_name="status",
                    ),
                ),
                ("status_at", models.DateTimeField(null=True)),
                ("metrics", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="state_due"),
                    models.Index(fields=["presence"], name="state_presence"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="credentials", to="fleet.terminal"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires at")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked at")),
            ],
            options={
                "verbose_name": "credential",
                "verbose_name_plural": "credentials",
                "indexes": [
                    models.Index(
                        condition=models.Q(("revoked_at__isnull", False)),
                        fields=["revoked_at"],
                        name="credential_revoked",
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="credential_expires",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EnrolmentToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="enrolment_tokens", to="fleet.site"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                (
                    "terminal",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="fleet.terminal"
                    ),
                ),
            ],
            options={
                "verbose_name": "enrolment token",
                "verbose_name_plural": "enrolment tokens",
            },
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, unique=True, verbose_name="name")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("draining", "Draining"),
                            ("stopped", "Stopped"),
                            ("lost", "Lost"),
                        ],
                        default="running",
                        max_length=16,
                        verbose_name="state",
                    ),
                ),
                ("host", models.CharField(default="", max_length=255, verbose_name="host")),
                ("pid", models.PositiveIntegerField(default=0, verbose_name="process")),
                ("run", models.CharField(default="", max_length=32)),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("heartbeat_at", models.DateTimeField(verbose_name="last heartbeat")),
                ("links", models.PositiveIntegerField(default=0, verbose_name="links")),
                ("dropped_at", models.DateTimeField(null=True, verbose_name="links dropped at")),
                ("dropped_links", models.PositiveIntegerField(default=0, verbose_name="links dropped")),
            ],
            options={
                "verbose_name": "node",
                "verbose_name_plural": "nodes",
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="opening_hours", to="fleet.site"
                    ),
                ),
                ("weekday", models.PositiveSmallIntegerField(verbose_name="weekday")),
                ("opens_at", models.TimeField(verbose_name="opens at")),
                ("closes_at", models.TimeField(verbose_name="closes at")),
            ],
            options={
                "verbose_name": "opening hours",
                "verbose_name_plural": "opening hours",
                "ordering": ("weekday", "opens_at"),
                "constraints": [
                    models.UniqueConstraint(fields=("site", "weekday", "opens_at"), name="opening_once"),
                    models.CheckConstraint(condition=models.Q(("weekday__lte", 7)), name="opening_weekday"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SpecialDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="special_days", to="fleet.site"
                    ),
                ),
                ("first_on", models.DateField(verbose_name="first day")),
                (
                    "last_on",
                    models.DateField(
                        blank=True, help_text="Leave empty for a single day.", null=True, verbose_name="last day"
                    ),
                ),
                (
                    "opens_at",
                    models.TimeField(
                        blank=True, help_text="Leave empty if closed.", null=True, verbose_name="opens at"
                    ),
                ),
                ("closes_at", models.TimeField(blank=True, null=True, verbose_name="closes at")),
                ("note", models.CharField(blank=True, max_length=100, verbose_name="note")),
            ],
            options={
                "verbose_name": "special day",
                "verbose_name_plural": "special days",
                "ordering": ("first_on", "opens_at"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_on", None), ("last_on__gte", models.F("first_on")), _connector="OR"),
                        name="special_day_order",
                        violation_error_message="The last day must not be before the first.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closes_at", None), ("opens_at", None)),
                            models.Q(("closes_at__isnull", False), ("opens_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="special_day_times",
                        violation_error_message="Enter both times, or neither for a day on which the site is closed.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outages",
                        to="fleet.terminal",
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("network", "Network"),
                            ("power", "Power or reboot"),
                            ("application", "Application"),
                            ("server", "TMS"),
                            ("planned", "Planned"),
                            ("unclear", "Unknown"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("lost_by", models.CharField(max_length=24)),
                ("node", models.CharField(blank=True, default="", max_length=64)),
                ("offline_at", models.DateTimeField(null=True)),
                ("has_restarted", models.BooleanField(null=True)),
                ("uptime_s", models.FloatField(null=True)),
                ("boot_id", models.CharField(blank=True, default="", max_length=64)),
                ("seq", models.BigIntegerField(default=0)),
                ("reports_made", models.PositiveIntegerField(null=True)),
                ("reports_sent", models.PositiveIntegerField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["terminal", "-ended_at"], name="outage_terminal"),
                    models.Index(fields=["began_at"], name="outage_began"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), models.Q(("node", ""), _negated=True)),
                        fields=["node"],
                        name="outage_node",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False), ("reports_sent__isnull", True)),
                        fields=["ended_at"],
                        name="outage_uncounted",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("terminal",), name="outage_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PresenceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presence_changes",
                        to="fleet.terminal",
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "presence",
                    models.CharField(
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
                (
                    "before",
                    models.CharField(
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
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("reboot", "announced reboot"),
                            ("update", "announced update"),
                            ("closing", "announced closing time"),
                            ("shutdown", "shut down normally"),
                            ("connection_lost", "connection lost"),
                            ("lease_ran_out", "no data received"),
                            ("did_not_return", "not back on time"),
                            ("node_stopped", "TMS restarted"),
                            ("node_lost", "TMS node lost"),
                            ("replaced", "credential used elsewhere"),
                        ],
                        default="",
                        max_length=24,
                    ),
                ),
                ("back_at", models.DateTimeField(null=True)),
                ("session", models.BigIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["terminal", "-at"], name="presencechange_terminal"),
                    models.Index(fields=["-at"], name="presencechange_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SiteContact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="contacts", to="fleet.site"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("phone", models.CharField(blank=True, max_length=32, verbose_name="phone")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
                "ordering": ("position", "pk"),
            },
        ),
    ]
