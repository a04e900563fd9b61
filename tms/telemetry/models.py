"""Boots, reports, events and roll-ups of terminals."""

from django.db import models

from tms.fleet.models import Status, Terminal
from tms.lib.severity import Severity
from tms.lib.text_fields import LineField


class Boot(models.Model):
    """One run of a terminal's software, identified by its `boot_id`. Reports are numbered within it."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="boots", db_index=False)
    boot_id = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("terminal", "boot_id"), name="boot_once"),)

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.boot_id}"


class Report(models.Model):
    """State and readings of a terminal at one instant, unique by `boot` and `seq`.

    On PostgreSQL the table is partitioned by the day of `at`, which therefore has to be part of the key; the store
    ensures that a `seq` has only one instant. No constraint links boot and terminal: a writer of reports holds the
    terminal's lock.
    """

    pk = models.CompositePrimaryKey("boot_id", "seq", "at")
    boot = models.ForeignKey(Boot, models.DO_NOTHING, related_name="reports", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="reports", db_index=False, db_constraint=False)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    late = models.BooleanField(default=False)
    undated = models.BooleanField(default=False, db_default=False)
    """The terminal sent no plausible instant: `at` is when TMS received the report."""
    status = models.CharField(max_length=16, choices=Status, default="", blank=True)
    metrics = models.JSONField(default=dict)

    class Meta:
        # Readers: the terminal's chart, the roll-up of an hour.
        indexes = (models.Index(fields=("terminal", "at"), name="report_terminal_at"),)

    def __str__(self) -> str:
        return f"{self.boot_id} {self.seq}"


class Event(models.Model):
    """An event that a terminal reported."""

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="events", db_index=False)
    at = models.DateTimeField()
    code = models.CharField(max_length=64)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.INFO)
    text = LineField(max_length=500, blank=True)
    late = models.BooleanField(default=False)
    undated = models.BooleanField(default=False, db_default=False)
    """The terminal sent no plausible instant: `at` is when TMS received the event."""

    class Meta:
        indexes = (models.Index(fields=("terminal", "-at"), name="event_terminal"),)

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.code}"


class Rollup(models.Model):
    """Roll-up of one metric of a terminal for one hour. On PostgreSQL partitioned by month."""

    pk = models.CompositePrimaryKey("terminal_id", "hour", "metric")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="rollups", db_index=False, db_constraint=False)
    hour = models.DateTimeField()
    metric = models.CharField(max_length=64)
    count = models.PositiveIntegerField()
    total = models.FloatField()
    lowest = models.FloatField()
    highest = models.FloatField()
    last = models.FloatField()

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.hour:%F %H}h {self.metric}"


class RollupMark(models.Model):
    """Progress of the roll-ups: every hour before `hour` is done, and of `hour` the terminals up to `terminal_pk`."""

    hour = models.DateTimeField()
    terminal_pk = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.hour} {self.terminal_pk}"


class LateHour(models.Model):
    """An hour of a terminal that has to be rolled up again, because reports of it arrived after it was over."""

    pk = models.CompositePrimaryKey("terminal_id", "hour")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    hour = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.hour}"
